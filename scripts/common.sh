# What the scripts share. Sourced by bash, never run.
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A second clone reuses what the first one compiled.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

say() { printf '%s\n' "$*" >&2; }
step() { printf '\n== %s (%s s)\n' "$*" "$SECONDS" >&2; }
# die CODE MESSAGE: one clear line; the codes are those of `kvasir`.
die() { local code=$1; shift; say "$(basename "$0"): $*"; exit "$code"; }

# Packages of the given sections of packages.txt.
packages_of() {
  local wanted section=''
  while read -r line; do
    case $line in
      '' | '#'*) ;;
      '['*']') section=${line//[\[\]]/} ;;
      *) for wanted in "$@"; do [ "$wanted" = "$section" ] && echo "$line"; done ;;
    esac
  done <"$root/scripts/packages.txt"
}

# Does the machine have the package, or (for python3, cmake, …) a command of that name from elsewhere?
has_package() {
  dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed && return 0
  case $1 in
    python3-pip) python3 -m pip --version >/dev/null 2>&1 ;;
    lib*) return 1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# need_packages SECTION…: installs what is missing.
need_packages() {
  [ "$(uname -s)" = Linux ] && command -v apt-get >/dev/null 2>&1 && command -v dpkg-query >/dev/null 2>&1 ||
    die 7 "this script installs Debian packages and found no apt-get here; docs/ names the packages of other systems"
  local missing=() package
  for package in $(packages_of "$@"); do has_package "$package" || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || die 4 "not root and no sudo: ask an administrator for: ${missing[*]}"
    as_root=(sudo)
  fi
  need_space / 2000
  step "installing ${#missing[@]} packages"
  local log
  log=$(mktemp)
  if ! { "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    die 7 "apt-get could not install: ${missing[*]} (no network, or a Debian older than 12?)"
  fi
  rm -f "$log"
}

# need_space FOLDER MEGABYTES
need_space() {
  local free
  free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$2" ] || die 8 "no space: $1 has $free MB free, $2 MB are needed"
}

jobs() { nproc 2>/dev/null || echo 2; }
