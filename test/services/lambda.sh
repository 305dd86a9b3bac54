#!/usr/bin/env bash
# AWS's Lambda Runtime Interface Emulator on loopback, with a handler of the tests in a process of its own, which speaks the runtime API: lambda/bootstrap.mjs.
#
#   lambda.sh install         builds it, which takes minutes; ends with code 75 where there is no Go, or its modules cannot be had
#   lambda.sh start FOLDER    prints the environment that the tests take, one NAME=value a line
#   lambda.sh stop FOLDER
#
# It takes one invocation at a time, and says that a handler failed in the body alone.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=v0.0.0-20261030222936-bef5c4ba774d
built=${XDG_CACHE_HOME:-$HOME/.cache}/hosepipe-services/lambda-$version
timeout=3

fail() { echo "lambda.sh: $1" >&2; exit "${2:-1}"; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'
folder=${2:-}

free_port() { node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })"; }

case $1 in
  install)
    [ -x "$built/aws-lambda-rie" ] && exit 0
    command -v go > /dev/null || fail 'there is no Go on this machine' 75
    mkdir -p "$built"
    GOBIN=$built CGO_ENABLED=0 go install "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@$version" || fail 'it cannot be built' 75
    ;;
  start)
    [ -x "$built/aws-lambda-rie" ] || fail 'it is not installed' 75
    address=127.0.0.1:$(free_port) api=127.0.0.1:$(free_port)
    mkdir -p "$folder"
    AWS_LAMBDA_FUNCTION_TIMEOUT=$timeout AWS_LAMBDA_FUNCTION_NAME=function nohup "$built/aws-lambda-rie" --log-level error \
      --runtime-interface-emulator-address "$address" --runtime-api-address "$api" \
      "$(command -v node)" "$here/lambda/bootstrap.mjs" "$here/../support/lambda/upper.mjs" > "$folder/log" 2>&1 < /dev/null &
    echo $! > "$folder/pid"
    for _ in $(seq 1 100); do
      if node -e "require('node:net').connect(${address##*:}, '127.0.0.1').on('connect', () => process.exit(0)).on('error', () => process.exit(1))"; then
        printf '%s\n' "LAMBDA_URL=http://$address"
        exit 0
      fi
      sleep 0.1
    done
    tail -n 20 "$folder/log" >&2
    fail 'it does not start'
    ;;
  stop)
    if [ -f "$folder/pid" ]; then
      pid=$(cat "$folder/pid")
      # shellcheck disable=SC2046 # one word for each process
      kill "$pid" $(ps -o pid= --ppid "$pid") 2> /dev/null || true
    fi
    ;;
esac
