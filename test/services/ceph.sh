#!/usr/bin/env bash
# Starts a real S3 server on loopback: Ceph's gateway over one monitor and one store in memory, all of them below one folder.
#
#   ceph.sh install         installs it where that takes no questions: as root, on Debian or Ubuntu. Otherwise ends with code 75
#   ceph.sh start FOLDER    prints the environment that the tests take, one NAME=value a line
#   ceph.sh stop FOLDER
set -euo pipefail

packages=(radosgw ceph-mon ceph-osd ceph-common)

fail() { echo "ceph.sh: $1" >&2; exit 1; }
[[ ${1:-} == install && $# -eq 1 || ${1:-} == st* && $# -eq 2 ]] || fail 'expected install, or start or stop and a folder'
base=${2:-}
conf=$base/ceph.conf

free_port() { node -e "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })"; }

write_conf() {
  local fsid=$1 monitor=$2 gateway=$3
  cat > "$conf" <<CONF
[global]
fsid = $fsid
mon host = v1:127.0.0.1:$monitor
ms bind msgr2 = false
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
auth cluster required = none
auth service required = none
auth client required = none
mon data = $base/mon
osd data = $base/osd
run dir = $base/run
admin socket = $base/run/\$name.asok
pid file = $base/run/\$name.pid
log file = $base/log/\$name.log
osd objectstore = memstore
memstore device bytes = 1073741824
osd max object name len = 256
osd max object namespace len = 64
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 500
mon data avail crit = 1
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:$gateway
rgw thread pool size = 32
CONF
}

not_installed() { echo "ceph.sh: not installed: $1" >&2; exit 75; }

# What comes over the network has its time. What follows has none: a package manager that is cut off there leaves a mess.
install() {
  [ "$(id -u)" = 0 ] || not_installed 'that takes root'
  command -v apt-get > /dev/null || not_installed 'there is no apt-get'
  export DEBIAN_FRONTEND=noninteractive
  local get=(apt-get -qq -o Acquire::Retries=1 -o DPkg::Lock::Timeout=30) what=(install -y --no-install-recommends "${packages[@]}")
  timeout 90 "${get[@]}" update > /dev/null 2>&1 || not_installed 'apt-get update has failed'
  timeout 210 "${get[@]}" --download-only "${what[@]}" > /dev/null 2>&1 || not_installed "apt-get cannot get ${packages[*]}"
  "${get[@]}" --no-download "${what[@]}" < /dev/null > /dev/null 2>&1 || not_installed "apt-get cannot install ${packages[*]}"
}

start() {
  for program in radosgw radosgw-admin ceph ceph-mon ceph-osd monmaptool; do
    command -v "$program" > /dev/null || fail "$program is not installed"
  done
  trap 'echo "ceph.sh: line $LINENO failed; see $base/log" >&2' ERR
  mkdir -p "$base"/{mon,osd,run,log}
  local fsid monitor gateway secret
  fsid=$(cat /proc/sys/kernel/random/uuid)
  secret=$(cat /proc/sys/kernel/random/uuid)
  monitor=$(free_port)
  gateway=$(free_port)
  write_conf "$fsid" "$monitor" "$gateway"

  monmaptool --create --addv a "[v1:127.0.0.1:$monitor]" --fsid "$fsid" "$base/monmap" > /dev/null
  ceph-mon -c "$conf" --mkfs -i a --monmap "$base/monmap"
  ceph-mon -c "$conf" -i a
  timeout 60 ceph -c "$conf" osd create > /dev/null
  ceph-osd -c "$conf" -i 0 --mkfs 2>> "$base/log/start.log"
  # On a busy machine it may ask the monitor before it has heard which cluster this is, and then gives up.
  local tries=0
  until ceph-osd -c "$conf" -i 0 2>> "$base/log/start.log" > /dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || fail "ceph-osd does not start; see $base/log"
    sleep 1
  done
  timeout 120 radosgw-admin -c "$conf" -n client.rgw user create --uid=tests --display-name=tests \
    --access-key=tests "--secret-key=$secret" > /dev/null 2>> "$base/log/start.log"
  radosgw -c "$conf" -n client.rgw
  timeout 60 bash -c "until : 2> /dev/null > /dev/tcp/127.0.0.1/$gateway; do sleep 0.1; done"
  printf '%s\n' "S3_ENDPOINT=http://127.0.0.1:$gateway" AWS_ACCESS_KEY_ID=tests "AWS_SECRET_ACCESS_KEY=$secret" AWS_REGION=us-east-1
}

stop() {
  local file pid
  for file in "$base"/run/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2> /dev/null || continue
    timeout 20 tail --pid="$pid" -f /dev/null || fail "process $pid does not end"
  done
}

case $1 in
  install) install ;;
  start) start ;;
  stop) stop ;;
  *) fail "expected install, start or stop, but came as $1" ;;
esac
