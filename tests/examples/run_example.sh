#!/usr/bin/env bash
# run_example.sh PROGRAM: runs it where the default model is; exit 77 says that it is not.
set -euo pipefail
compgen -G "$HOME/.cache/kvasir/models/*.gguf" >/dev/null || {
  echo "skipped: no model (kvasir model pull)"
  exit 77
}
exec "$1"
