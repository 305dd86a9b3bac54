#!/usr/bin/env bash
# The Splunk HEC receiver of the OpenTelemetry collector on loopback, behind the small program in collector/: with acknowledgements and without.
#
#   collector.sh install         builds it, which takes minutes; ends with code 75 where there is no Go, or its modules cannot be had
#   collector.sh start FOLDER    prints the environment that the tests take, one NAME=value a line
#   collector.sh stop FOLDER
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/collector
built=${XDG_CACHE_HOME:-$HOME/.cache}/hosepipe-services/collector-$(cd "$here" && find . -type f | sort | xargs cat | sha256sum | cut -c1-12)
token=token-of-the-test

fail() { echo "collector.sh: $1" >&2; exit "${2:-1}"; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'
folder=${2:-}

free_port() { node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })"; }

case $1 in
  install)
    [ -x "$built" ] && exit 0
    command -v go > /dev/null || fail 'there is no Go on this machine' 75
    mkdir -p "$(dirname "$built")"
    (cd "$here" && GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$built.$$" .) || fail 'it cannot be built' 75
    mv "$built.$$" "$built"
    ;;
  start)
    [ -x "$built" ] || fail 'it is not installed' 75
    hec=127.0.0.1:$(free_port) plain=127.0.0.1:$(free_port) otlp=127.0.0.1:$(free_port)
    mkdir -p "$folder"
    nohup "$built" "$folder" "$hec" "$plain" "$otlp" "$token" 200ms none > "$folder/log" 2>&1 < /dev/null &
    echo $! > "$folder/pid"
    for _ in $(seq 1 100); do
      if node -e "require('node:net').connect(${otlp##*:}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"; then
        printf '%s\n' "HEC_URL=http://$hec" "HEC_PLAIN_URL=http://$plain" "HEC_TOKEN=$token" "HEC_FOLDER=$folder"
        exit 0
      fi
      sleep 0.1
    done
    tail -n 20 "$folder/log" >&2
    fail 'it does not start'
    ;;
  stop)
    if [ -f "$folder/pid" ]; then kill "$(cat "$folder/pid")" 2> /dev/null || true; fi
    ;;
esac
