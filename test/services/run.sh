#!/usr/bin/env bash
# npm run test:services: the tests of destinations against real servers, those that are there or can be started here:
#
#   S3               the server at S3_ENDPOINT (with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION), or a Ceph gateway
#   HTTP endpoint    Telegraf's receiver, where telegraf.sh has built it
#   Splunk           the receiver of the OpenTelemetry collector, where collector.sh has built it
#   Kafka            a broker of Apache Kafka, and its makers' own client, where kafka.sh has fetched them
#   Kinesis          three processes that share a stream, which need no other server
#   Lambda           AWS's emulator of the runtime interface, where lambda.sh has built it
#   Firehose API     the SDKs of AWS for Go and Python, where firehose-clients.sh has fetched them
#   documents        nodes of OpenSearch and Elasticsearch, where opensearch.sh and elasticsearch.sh have fetched them
#
# What is not run says so.
set -euo pipefail
here=$(dirname "$0")
folder=$(mktemp -d)
tests=()

take_down() {
  bash "$here/ceph.sh" stop "$folder/ceph" 2> /dev/null || true
  for service in telegraf collector kafka lambda opensearch elasticsearch; do bash "$here/$service.sh" stop "$folder/$service"; done
  rm -rf "$folder"
}
trap take_down EXIT

# started <script> <folder>: starts a service in two tries, and takes its environment.
started() {
  local environment
  for _ in 1 2; do
    mkdir -p "$2"
    if environment=$(bash "$here/$1" start "$2"); then
      while read -r line; do export "${line?}"; done <<< "$environment"
      return 0
    fi
    tail -n 20 "$2"/log/*.log >&2 2> /dev/null || true
    bash "$here/$1" stop "$2" || true
    rm -rf "$2"
  done
  echo "test:services: $1 does not come up: its tests are not run" >&2
  return 1
}

if [ -n "${S3_ENDPOINT:-}" ]; then has_s3=yes
elif ! command -v radosgw > /dev/null; then
  echo 'test:services: no tests of S3: there is no S3_ENDPOINT, and radosgw is not installed (see test/services/ceph.sh)' >&2
elif started ceph.sh "$folder/ceph"; then has_s3=yes
fi
if [ -n "${has_s3:-}" ]; then
  tests+=(test/destinations/s3.ts test/destinations/s3-faults.ts test/destinations/s3-part-faults.ts test/services/s3.ts)
fi
if started telegraf.sh "$folder/telegraf"; then tests+=(test/services/http-endpoint.ts); fi
if started collector.sh "$folder/collector"; then tests+=(test/services/splunk.ts); fi
if started kafka.sh "$folder/kafka"; then tests+=(test/services/kafka.ts test/services/kafka-group.ts); fi
# What it needs, npm has brought.
tests+=(test/services/kinesis-group.ts test/services/source-pages.ts)
if started lambda.sh "$folder/lambda"; then tests+=(test/services/lambda.ts); fi
if started firehose-clients.sh "$folder/firehose-clients"; then tests+=(test/services/firehose-clients.ts); fi
if started opensearch.sh "$folder/opensearch"; then has_documents=yes; fi
# With such a queue an overload is easily made.
if NODE_SETTINGS='node.processors=1 thread_pool.write.queue_size=1' started elasticsearch.sh "$folder/elasticsearch"; then has_documents=yes; fi
if [ -n "${has_documents:-}" ]; then tests+=(test/services/opensearch.ts); fi

npx tap --disable-coverage --timeout=300 --jobs=1 "${tests[@]}" "$@"
