#!/usr/bin/env bash
# systemd_test.sh: what systemd says of the unit. Its program need not be installed for that.
set -euo pipefail
unit=$(cd "$(dirname "$0")/../../deploy" && pwd)/kvasir.service
command -v systemd-analyze >/dev/null || { echo "skipped: no systemd-analyze"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$unit" >"$folder/kvasir.service"
said=$(systemd-analyze verify --man=no "$folder/kvasir.service" 2>&1) || { echo "$said"; exit 1; }
# Lines about other units of this machine are not ours.
if grep -F "$folder/kvasir.service" <<<"$said"; then exit 1; fi

# Planted, so that the check is known to see something.
sed 's/^PrivateTmp=yes/PrivateTmpp=maybe/' "$folder/kvasir.service" >"$folder/planted.service"
systemd-analyze verify --man=no "$folder/planted.service" 2>&1 | grep -q PrivateTmpp || {
  echo "systemd-analyze says nothing about a planted mistake"
  exit 1
}
# How much of the system it may touch, from 0 (nothing) to 10.
if exposure=$(systemd-analyze security --offline=true "$folder/kvasir.service" 2>/dev/null); then
  score=$(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p' <<<"$exposure")
  echo "exposure $score"
  awk -v score="$score" 'BEGIN { exit !(score != "" && score < 2.5) }' || { echo "$exposure"; exit 1; }
fi
