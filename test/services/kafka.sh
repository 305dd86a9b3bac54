#!/usr/bin/env bash
# A broker of Apache Kafka on loopback, one node that is its own controller, and a client of its makers beside it: kafka/KafkaPeer.java.
#
#   kafka.sh install         fetches the jars; ends with code 75 where there is no Java and none can be installed, or no jars can be had
#   kafka.sh start FOLDER    prints the environment that the tests take, one NAME=value a line
#   kafka.sh stop FOLDER
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/kafka
built=${XDG_CACHE_HOME:-$HOME/.cache}/hosepipe-services/kafka-$(cat "$here"/* | sha256sum | cut -c1-12)
java=(java -Xms64m -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$built/classes:$built/lib/*")

fail() { echo "kafka.sh: $1" >&2; exit "${2:-1}"; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'
folder=${2:-}

free_port() { node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })"; }

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
    javac -cp "$new/lib/*" -d "$new/classes" "$here/KafkaPeer.java" || fail 'it cannot be built' 75
    mv "$new" "$built"
    ;;
  start)
    [ -d "$built" ] || fail 'it is not installed' 75
    broker=127.0.0.1:$(free_port) controller=127.0.0.1:$(free_port) door=127.0.0.1:$(free_port) behind=127.0.0.1:$(free_port) sasl=127.0.0.1:$(free_port)
    mkdir -p "$folder"
    sed -e "s|BROKER|$broker|g; s|CONTROLLER_ADDRESS|$controller|g; s|DOOR_ADDRESS|$door|g; s|BEHIND_ADDRESS|$behind|g; s|SASL_ADDRESS|$sasl|g; s|FOLDER|$folder|g" "$here/server.properties" > "$folder/server.properties"
    "${java[@]}" kafka.tools.StorageTool format --standalone -t AAAAAAAAAAAAAAAAAAAAAQ -c "$folder/server.properties" > "$folder/log" 2>&1 ||
      { tail -n 20 "$folder/log" >&2; fail 'its folder cannot be made'; }
    nohup "${java[@]}" kafka.Kafka "$folder/server.properties" >> "$folder/log" 2>&1 < /dev/null &
    pid=$!
    echo $pid > "$folder/pid"
    if "${java[@]}" KafkaPeer ready "$broker" 120 2>> "$folder/log"; then
      echo "KAFKA_BROKER=$broker"
      printf '%s\n' "KAFKA_DOOR=$door" "KAFKA_BEHIND=$behind" "KAFKA_SASL=$sasl"
      echo "KAFKA_CLASSES=$built/classes:$built/lib/*"
      exit 0
    fi
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
