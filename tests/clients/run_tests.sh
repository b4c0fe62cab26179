#!/usr/bin/env bash
# run_tests.sh KVASIR MODULE: one module of this folder. Exit 77, saying why, where there is no Python environment or no
# model.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=${KVASIR_TEST_MODEL:-$(compgen -G "$HOME/.cache/kvasir/models/*.gguf" | head -n 1 || true)}
[ -f "$model" ] || { echo "skipped: no model (scripts/fetch-model)"; exit 77; }
python=$("$here/../../scripts/venv" clients "$here/requirements.txt") || exit $?

# mem0's package reports home unless it is told not to.
export KVASIR_COMMAND=$1 KVASIR_MODEL=$model MEM0_TELEMETRY=False
export OMP_WAIT_POLICY=passive PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$here/../support
cd "$here"
exec "$python" -m unittest -v "$2"
