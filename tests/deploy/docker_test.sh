#!/usr/bin/env bash
# docker_test.sh: the image is built and says its version. Only where a Docker daemon answers.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
docker info >/dev/null 2>&1 || { echo "skipped: no Docker daemon answers"; exit 77; }
image=$(docker build --quiet -f "$root/deploy/Dockerfile" "$root")
trap 'docker rmi --force "$image" >/dev/null' EXIT
docker run --rm "$image" --version
# Without a key the open address is refused, in one line.
code=0
docker run --rm "$image" 2>/dev/null || code=$?
[ "$code" -eq 4 ] || { echo "serve without a key gave $code, not 4"; exit 1; }
