#!/usr/bin/env bash
# format.sh ROOT: every C++ and CUDA source is as clang-format writes it. Exit 77: no clang-format.
set -euo pipefail
command -v clang-format >/dev/null || { echo "skipped: no clang-format"; exit 77; }
cd "$1"

# The check must be able to fail.
if printf 'int  main( ){return 0;}\n' | clang-format --dry-run -Werror --assume-filename=a.cc 2>/dev/null; then
  echo "clang-format accepts a planted mistake"
  exit 1
fi
find . \( -name .git -o -name build -o -name .venv \) -prune -o \
  \( -name '*.h' -o -name '*.cc' -o -name '*.cu' -o -name '*.c' \) -print0 |
  xargs -0 -n 20 -P 2 clang-format --dry-run -Werror
