#!/usr/bin/env bash
# Clients of the Firehose API in other languages: the SDKs of AWS for Go and for Python, with the small programs in firehose-clients/.
#
#   firehose-clients.sh install         builds and fetches them; ends with code 75 where none can be had
#   firehose-clients.sh start FOLDER    prints the environment that the tests take, one NAME=value a line: of those that are there
#   firehose-clients.sh stop FOLDER     does nothing: they run as long as they are asked
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=${XDG_CACHE_HOME:-$HOME/.cache}/hosepipe-services/firehose-clients-$(cat "$here"/firehose-clients/* | sha256sum | cut -c1-12)
boto3=1.43.11

fail() { echo "firehose-clients.sh: $1" >&2; exit "${2:-1}"; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'

case $1 in
  install)
    mkdir -p "$built"
    if [ ! -x "$built/go" ] && command -v go > /dev/null; then
      if (cd "$here/firehose-clients" && GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false -o "$built/go.$$" .); then mv "$built/go.$$" "$built/go"; fi
    fi
    if [ ! -f "$built/python/done" ] && command -v python3 > /dev/null; then
      rm -rf "$built/python"
      if python3 -m venv "$built/python" && "$built/python/bin/pip" install --quiet --disable-pip-version-check "boto3==$boto3"; then touch "$built/python/done"; fi
    fi
    [ -x "$built/go" ] || [ -f "$built/python/done" ] || fail 'neither Go nor Python can be had' 75
    ;;
  start)
    there=()
    if [ -x "$built/go" ]; then there+=("FIREHOSE_GO=$built/go"); fi
    if [ -f "$built/python/done" ]; then there+=("FIREHOSE_PYTHON=$built/python/bin/python"); fi
    ((${#there[@]} > 0)) || fail 'they are not installed' 75
    printf '%s\n' "${there[@]}"
    ;;
esac
