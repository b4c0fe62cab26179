#!/usr/bin/env bash
# run_memory_editor.sh PROGRAM: a session of the editor, and what it must have said.
set -euo pipefail
compgen -G "$HOME/.cache/kvasir/models/*.gguf" >/dev/null || {
  echo "skipped: no model (kvasir model pull)"
  exit 77
}
said=$("$1" <<'SESSION'
list
edit welcome Ada lives in Porto.
undo welcome
history welcome
show nobody
forget welcome
list
quit
SESSION
)
echo "$said"
expected='welcome v1  Ada lives in Lisbon.
welcome is v2
welcome is v3
v1  Ada lives in Lisbon.
v2  Ada lives in Porto.
v3  Ada lives in Lisbon.'
[[ $said == "$expected"* ]]
grep -q '^! ' <<<"$said"
grep -q '^forgot 1 and 2 old versions' <<<"$said"
! grep -A9 '^forgot' <<<"$said" | grep -q '^welcome'
