#!/usr/bin/env bash
# A receiver of the service's delivery protocol that others wrote, on loopback: Telegraf's, behind the small program in telegraf/.
#
#   telegraf.sh install         builds it, which takes minutes; ends with code 75 where there is no Go, or its modules cannot be had
#   telegraf.sh start FOLDER    prints the environment that the tests take, one NAME=value a line
#   telegraf.sh stop FOLDER
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
built=${XDG_CACHE_HOME:-$HOME/.cache}/hosepipe-services/telegraf-$(cat "$here"/telegraf/* | sha256sum | cut -c1-12)
key=key-of-the-test

fail() { echo "telegraf.sh: $1" >&2; exit "${2:-1}"; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'
folder=${2:-}

free_port() { node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })"; }

case $1 in
  install)
    [ -x "$built" ] && exit 0
    command -v go > /dev/null || fail 'there is no Go on this machine' 75
    mkdir -p "$(dirname "$built")"
    (cd "$here/telegraf" && GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false -ldflags '-s -w' -o "$built.$$" .) || fail 'it cannot be built' 75
    mv "$built.$$" "$built"
    ;;
  start)
    [ -x "$built" ] || fail 'it is not installed' 75
    address=127.0.0.1:$(free_port)
    mkdir -p "$folder"
    nohup "$built" "$folder" "$address" /firehose "$key" env > "$folder/log" 2>&1 < /dev/null &
    echo $! > "$folder/pid"
    for _ in $(seq 1 100); do
      if node -e "require('node:net').connect(${address##*:}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"; then
        printf '%s\n' "ENDPOINT_URL=http://$address/firehose" "ENDPOINT_KEY=$key" "ENDPOINT_FOLDER=$folder"
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
