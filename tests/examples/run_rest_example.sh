#!/usr/bin/env bash
# run_rest_example.sh KVASIR SCRIPT: runs it against a `kvasir serve` of its own; exit 77 says that there is no model.
set -euo pipefail
compgen -G "$HOME/.cache/kvasir/models/*.gguf" >/dev/null || {
  echo "skipped: no model (kvasir model pull)"
  exit 77
}
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }; rm -rf "$folder"' EXIT
mkfifo "$folder/hello"
"$1" serve --json --port 0 --store "$folder/store" --access-log none >"$folder/hello" &
server=$!
read -r hello <"$folder/hello"
url=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["url"])' "$hello")
# Asked until the model is there; the server's end ends the asking.
until python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1] + "/readyz")' "$url" 2>/dev/null; do
  kill -0 "$server"
done
python3 "$2" "$url"
