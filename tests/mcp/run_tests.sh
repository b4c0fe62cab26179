#!/usr/bin/env bash
# run_tests.sh KVASIR: `kvasir mcp` and POST /mcp driven by the SDK `mcp` from PyPI. Exit 77, saying why, where there
# is no Python environment or no model.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=${KVASIR_TEST_MODEL:-$(compgen -G "$HOME/.cache/kvasir/models/*.gguf" | head -n 1 || true)}
[ -f "$model" ] || { echo "skipped: no model (scripts/fetch-model)"; exit 77; }
python=$("$here/../../scripts/venv" mcp "$here/requirements.txt") || exit $?

export KVASIR_COMMAND=$1 KVASIR_MODEL=$model OMP_WAIT_POLICY=passive PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH=$here/../support
cd "$here"
exec "$python" -m unittest -v mcp_test
