#!/usr/bin/env bash
# A node of OpenSearch (elasticsearch.sh: of Elasticsearch) on loopback: the jars that its makers publish, started by a small main program.
#
#   opensearch.sh install         fetches them; ends with code 75 where there is no Java and none can be installed, or no jars can be had
#   opensearch.sh start FOLDER    prints the environment that the tests take, one NAME=value a line
#   opensearch.sh stop FOLDER
#
# NODE_SETTINGS="name=value …" are settings of the node.
set -euo pipefail

engine=${ENGINE:-opensearch}
main=${MAIN:-OpenSearchNode}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$engine
built=${XDG_CACHE_HOME:-$HOME/.cache}/hosepipe-services/$engine-$(cat "$here"/* | sha256sum | cut -c1-12)

fail() { echo "$engine.sh: $1" >&2; exit "${2:-1}"; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'
folder=${2:-}

free_port() { node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })"; }

# 0 where the node answers that it can store.
answers() { node -e "fetch('$1/_cluster/health?wait_for_status=yellow&timeout=5s').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"; }

case $1 in
  install)
    [ -d "$built" ] && exit 0
    if ! { command -v mvn && command -v javac; } > /dev/null; then
      [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null || fail 'there is no Maven and no Java on this machine' 75
      { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends maven openjdk-17-jdk-headless; } > /dev/null ||
        fail 'Java cannot be installed' 75
    fi
    new=$built.$$
    mkdir -p "$new"
    mvn -B -q -ntp -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$new/lib" > "$new/log" 2>&1 || { tail -n 20 "$new/log" >&2; fail 'its jars cannot be had' 75; }
    javac -cp "$new/lib/*" -d "$new/classes" "$here/$main.java" || fail 'it cannot be built' 75
    mv "$new" "$built"
    ;;
  start)
    [ -d "$built" ] || fail 'it is not installed' 75
    port=$(free_port)
    mkdir -p "$folder/config"
    # shellcheck disable=SC2086
    nohup java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xms384m -Xmx384m -Dorg.apache.logging.log4j.level=WARN \
      -cp "$built/classes:$built/lib/*" "$main" "$folder" "$port" "$(free_port)" ${NODE_SETTINGS:-} > "$folder/log" 2>&1 < /dev/null &
    pid=$!
    echo $pid > "$folder/pid"
    for _ in $(seq 1 300); do
      if answers "http://127.0.0.1:$port"; then
        echo "${engine^^}_URL=http://127.0.0.1:$port"
        exit 0
      fi
      kill -0 $pid 2> /dev/null || break
      sleep 0.2
    done
    tail -n 20 "$folder/log" >&2
    fail 'it does not start'
    ;;
  stop)
    [ -f "$folder/pid" ] || exit 0
    pid=$(cat "$folder/pid")
    kill "$pid" 2> /dev/null || exit 0
    for _ in $(seq 1 100); do kill -0 "$pid" 2> /dev/null || exit 0; sleep 0.1; done
    kill -9 "$pid" 2> /dev/null || true
    ;;
esac
