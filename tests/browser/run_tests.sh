#!/usr/bin/env bash
# run_tests.sh KVASIR LARGE_STORE SCREENSHOTS: the inspector's journeys in a headless Chromium.
# Exit 77, saying why, where there is no browser, no Python environment or no model.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $*"; exit 77; }

for name in chromium google-chrome chrome; do
  browser=$(command -v "$name" || true)
  [ -n "$browser" ] && break
done
[ -n "$browser" ] || skip "no chromium (see scripts/packages.txt, [browser])"
driver=$(command -v chromedriver) || skip "no chromedriver (see scripts/packages.txt, [browser])"
model=${KVASIR_TEST_MODEL:-$(compgen -G "$HOME/.cache/kvasir/models/*.gguf" | head -n 1 || true)}
[ -f "$model" ] || skip "no model (scripts/fetch-model)"
python=$("$here/../../scripts/venv" browser "$here/requirements.txt") || exit $?

mkdir -p "$3"
export KVASIR_COMMAND=$1 KVASIR_LARGE_STORE=$2 KVASIR_SCREENSHOTS=$3
export KVASIR_BROWSER=$browser KVASIR_DRIVER=$driver KVASIR_MODEL=$model
export OMP_WAIT_POLICY=passive PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here/../support
cd "$here"
exec "$python" -m unittest -v inspector_test
