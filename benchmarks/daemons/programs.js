/**
 * The programs, and how each does the jobs that it can do: a command of the shell, which runs in an empty folder and writes there.
 * `$IN` is the file of events.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const cli = here('../../dist/cli/main.js')
const hosepipe = (flags) => `node '${cli}' "$IN" --to . --report=none ${flags}`
const library = (job) => `node '${here('library.js')}' ${job} "$IN"`
const duck = (sql) => (found) => `${found === 'duckdb' ? 'duckdb -c' : `node '${here('duck.js')}'`} "${sql}"`
const events = "read_json('$IN', format='newline_delimited')"

/** Writes a config beside what the program writes: its name begins with a dot, and it is taken away before the check. */
export const configName = '.config.yaml'

function config(command, yaml) {
  return () => {
    writeFileSync(configName, yaml.trimStart())
    return command
  }
}

const benthos = (parts) =>
  config(
    // The distribution with all connectors has it as a subcommand.
    'if command -v benthos >/dev/null; then benthos run .config.yaml; else rpk connect run .config.yaml; fi',
    `
logger: { level: ERROR }
http: { enabled: false }
input: { file: { paths: ["\${IN}"], scanner: { lines: {} } } }
${parts}`,
  )

const fluentBit = (output) =>
  `fluent-bit -q -f 1 -i tail -p path="$IN" -p read_from_head=on -p exit_on_eof=on -p buffer_chunk_size=1M -p buffer_max_size=8M ${output}`

const vector = (parts) =>
  config(
    'vector -qq -c .config.yaml < "$IN"',
    `
data_dir: .
sources: { in: { type: stdin, max_length: 10485760 } }
${parts}`,
  )
const parsed = 'parsed: { type: remap, inputs: [in], source: ". = parse_json!(string!(.message))" }'

/** By name: the words by which one of them is found, and its commands. */
export const programs = {
  hosepipe: {
    words: ['node'],
    jobs: {
      files: hosepipe(''),
      gzip: hosepipe('--gzip=6 --max-bytes 16MiB'),
      partitions: hosepipe("--key customer --prefix '!{partitionKey:customer}/'"),
      edit: hosepipe("--where 'level != debug' --set service=api --rename msg=message"),
      parquet: hosepipe('--format parquet --max-bytes 64MiB'),
    },
  },
  'hosepipe, library': {
    words: ['node'],
    jobs: Object.fromEntries(['files', 'gzip', 'partitions', 'edit', 'parquet'].map((job) => [job, library(job)])),
  },
  'Fluent Bit': {
    words: ['fluent-bit'],
    jobs: {
      files: fluentBit("-o file -p path=. -p file=out.ndjson -p format=template -p template='{log}'"),
    },
  },
  Benthos: {
    words: ['benthos', 'rpk'],
    jobs: {
      files: benthos('output: { file: { path: ./out.ndjson, codec: lines } }'),
      edit: benthos(`
pipeline:
  processors:
    - mapping: |
        root = if this.level == "debug" { deleted() } else { this.without("msg").merge({"message": this.msg, "service": "api"}) }
output: { file: { path: ./out.ndjson, codec: lines } }`),
    },
  },
  Vector: {
    words: ['vector'],
    jobs: {
      files: vector('sinks: { out: { type: file, inputs: [in], path: ./out.ndjson, encoding: { codec: text } } }'),
      gzip: vector(
        'sinks: { out: { type: file, inputs: [in], path: ./out.gz, compression: gzip, encoding: { codec: text } } }',
      ),
      partitions: vector(`
transforms: { ${parsed} }
sinks: { out: { type: file, inputs: [parsed], path: './{{ customer }}.ndjson', encoding: { codec: json } } }`),
      edit: vector(`
transforms:
  ${parsed}
  kept: { type: filter, inputs: [parsed], condition: '.level != "debug"' }
  edited: { type: remap, inputs: [kept], source: '.service = "api"; .message = del(.msg)' }
sinks: { out: { type: file, inputs: [edited], path: ./out.ndjson, encoding: { codec: json } } }`),
    },
  },
  DuckDB: {
    words: ['duckdb', 'node'],
    jobs: {
      edit: duck(
        `COPY (SELECT * EXCLUDE (msg), msg AS message, 'api' AS service FROM ${events} WHERE level <> 'debug') TO 'out.ndjson' (FORMAT json)`,
      ),
      parquet: duck(`COPY (SELECT * FROM ${events}) TO 'out.parquet' (FORMAT parquet)`),
    },
  },
  Miller: {
    words: ['mlr'],
    jobs: {
      partitions: 'mlr --ijsonl --ojsonl split -g customer "$IN"',
      edit: 'mlr --ijsonl --ojsonl filter \'$level != "debug"\' then put \'$service = "api"\' then rename msg,message "$IN" > out.ndjson',
    },
  },
  jq: {
    words: ['jq'],
    jobs: {
      edit: 'jq -c \'select(.level != "debug") | .service = "api" | .message = .msg | del(.msg)\' "$IN" > out.ndjson',
    },
  },
  pigz: {
    words: ['pigz'],
    jobs: { gzip: 'pigz -6 -c "$IN" > out.gz' },
  },
  'cp, split': {
    words: ['split'],
    jobs: { files: 'split -C 5M "$IN" part-' },
  },
}
