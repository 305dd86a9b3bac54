#!/usr/bin/env bash
# npm run test:services: the tests of destinations against real servers. S3 is the one at S3_ENDPOINT (with AWS_ACCESS_KEY_ID,
# AWS_SECRET_ACCESS_KEY and AWS_REGION), or a Ceph gateway that is started here. Ends with code 75 where neither is there, or the
# gateway does not come up in two tries: then nothing is known of the tests.
set -euo pipefail
here=$(dirname "$0")

if [ -z "${S3_ENDPOINT:-}" ]; then
  if ! command -v radosgw > /dev/null; then
    echo 'test:services: not run: there is no S3_ENDPOINT, and radosgw is not installed (see test/services/ceph.sh)' >&2
    exit 75
  fi
  folder=$(mktemp -d)
  take_down() { bash "$here/ceph.sh" stop "$folder"; rm -rf "$folder"; }
  trap take_down EXIT
  if ! environment=$(bash "$here/ceph.sh" start "$folder"); then
    take_down
    if ! environment=$(bash "$here/ceph.sh" start "$folder"); then
      echo 'test:services: not run: the gateway does not come up; what its programs have said last:' >&2
      tail -n 20 "$folder"/log/*.log >&2 || true
      exit 75
    fi
  fi
  while read -r line; do export "${line?}"; done <<< "$environment"
fi

npx tap --disable-coverage --timeout=300 --jobs=1 test/destinations/s3.ts test/destinations/s3-faults.ts test/destinations/s3-part-faults.ts test/services/s3.ts "$@"
