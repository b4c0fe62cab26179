#!/bin/sh
# run_tests.sh PYTHON TRAIN_FOLDER: runs the trainer's tests, or says what is missing and skips (77).
set -eu
# KVASIR_TRAIN_PYTHON names another interpreter, for example that of a virtual environment.
python=${KVASIR_TRAIN_PYTHON:-$1}
folder=$2
if ! missing=$("$python" -c 'import torch, gguf, pytest, tokenizers, scipy, safetensors, zstandard, Stemmer' 2>&1); then
  echo "skipped: train/requirements.txt is not installed for $python ($(echo "$missing" | tail -n 1))"
  exit 77
fi
cd "$folder"
PYTHONDONTWRITEBYTECODE=1 exec "$python" -m pytest -q -p no:cacheprovider tests
