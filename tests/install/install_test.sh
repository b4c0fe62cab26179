#!/usr/bin/env bash
# install_test.sh BUILD CXX: an installed copy, moved elsewhere, is found and used by programs that know
# nothing of the build tree.
set -euo pipefail
build=$1
compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

with_model=()
if compgen -G "$HOME/.cache/kvasir/models/*.gguf" >/dev/null; then
  with_model=(with-model)
else
  echo "no model here (kvasir model pull): programs only open a store"
fi

cmake --install "$build" --prefix "$folder/staged" >install.log
mv staged prefix

echo "== find_package(kvasir CONFIG)"
cmake -G Ninja -S "$here/consumers/cmake" -B cmake-build -DCMAKE_PREFIX_PATH="$folder/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" >configure.log || { cat configure.log; exit 1; }
cmake --build cmake-build >build.log || { cat build.log; exit 1; }
cmake-build/consumer "${with_model[@]}"
cmake-build/consumer_c "${with_model[@]}"

echo "== pkg-config"
pc=$(dirname "$(find prefix -name kvasir.pc)")
flags=$(PKG_CONFIG_PATH=$folder/$pc pkg-config --cflags --libs kvasir)
libraries=$(PKG_CONFIG_PATH=$folder/$pc pkg-config --variable=libdir kvasir)
# shellcheck disable=SC2086
"$compiler" -Wall -Werror "$here/consumers/consumer.cc" -o consumer_pc $flags -Wl,-rpath,"$libraries"
./consumer_pc "${with_model[@]}"

echo "== the command"
prefix/bin/kvasir --version | grep -E '^kvasir [0-9]+\.[0-9]+\.[0-9]+$'
[ ${#with_model[@]} -eq 0 ] || prefix/bin/kvasir model pull --json | grep '"present":true'

echo "== nothing of the build tree"
if grep -rl --binary-files=without-match "$build" prefix; then
  echo "the files above name the build folder"
  exit 1
fi
