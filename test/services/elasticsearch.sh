#!/usr/bin/env bash
# A node of Elasticsearch 7.17 on loopback: see opensearch.sh, which does the work.
export ENGINE=elasticsearch MAIN=ElasticsearchNode
exec bash "$(dirname "${BASH_SOURCE[0]}")/opensearch.sh" "$@"
