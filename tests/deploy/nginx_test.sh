#!/usr/bin/env bash
# nginx_test.sh KVASIR: the site file in a real nginx, in front of a real `kvasir serve`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
skip() { echo "skipped: $*"; exit 77; }
nginx=$(PATH=$PATH:/usr/sbin:/sbin command -v nginx) || skip "no nginx (section [deploy] of scripts/packages.txt)"
command -v openssl >/dev/null || skip "no openssl (section [deploy] of scripts/packages.txt)"
model=${KVASIR_TEST_MODEL:-$(compgen -G "$HOME/.cache/kvasir/models/*.gguf" | head -n 1 || true)}
[ -f "$model" ] || skip "no model (scripts/fetch-model)"
export KVASIR_COMMAND=$1 KVASIR_MODEL=$model KVASIR_NGINX=$nginx OMP_WAIT_POLICY=passive PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$here/../support
cd "$here"
exec python3 -m unittest -v nginx_test
