/** What `--help` prints: 24 lines of at most 100 columns, so that it fits a screen. A test holds both, and that every flag is in it. */
export const help = `\
Usage: hosepipe [FILE…] --to FOLDER [flags]   gathers records into batches and delivers them
       hosepipe replay DIR… --to … [flags]    sends the records of a backup again
       hosepipe check [CONFIG] [--connect]    says what is wrong, or shows what the options come to
       hosepipe bench FILE [flags]            measures your transforms on your data
       hosepipe serve [CONFIG]                a Firehose on this machine, for SDKs of AWS
Reads FILEs, folders, patterns, stdin, kafka://… or kinesis://….   Order of functions: as written.
  --to, --backup, --source-backup URL   a folder, s3://…, https://… or - (stdout); several --to
  --split HOW             lines (default), csv, json, json:path.to.array, regex:P, separator:TEXT
  --filter, --map, --transform FILE     its default export, or 'r => r.n > 1', gets each record
  --where 'status>=500'  --set a.b=1  --rename a=b  --remove a.b  --keep a   edits, without parsing
  --lambda FILE           a Lambda handler for Firehose   --blueprint apache-combined|syslog|…
  --key FIELD             batches by a field (or several), by '{a}/{b.c}', or 'jq:{day: .ts[0:10]}'
  --prefix TEXT           of object names: 'year=!{timestamp:yyyy}/!{partitionKey:customer}/'
  --timestamp-from FIELD  --timestamp-format F   batches and prefixes by the records' own time
  --max-bytes 5MiB  --max-age 5m  --max-records N  --close-at minute|hour|day   close a batch
  --format ndjson|json-array|csv|parquet[:COLUMNS]   --gzip[=level]   --zstd[=level]  of objects
  --concurrency N  deliveries and promises at a time   --config FILE  options as .json or .js
  --progress bar|json|none   --report text|json|none   on the way, and at the end
  --grace 30s             how long SIGINT and SIGTERM let deliveries end; a second one stops now
  --keep-going  past unreadable inputs   --max-failed N|P%  stops beyond   --help  --version
Exit code: 0 all delivered, or dropped by your word; 3 some failed; 4 unread; 130 Ctrl-C; 1 else
Examples:
  hosepipe events.ndjson --to ./lake --backup ./failed --gzip --key customer
  zcat logs.gz | hosepipe --filter ./errors.js --to - | jq .message
`
