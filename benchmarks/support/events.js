/** Log events as services write them, made up. */

const words = [
  'disk',
  'queue',
  'retry',
  'accepted',
  'from',
  'upstream',
  'after',
  'timeout',
  'of',
  'shard',
  'lease',
  'renewed',
]
const foreign = ['Überlauf', 'données', 'очередь', '遅延', 'naïve', '🙂']
const levels = ['debug', 'info', 'info', 'info', 'warn', 'error']
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const statuses = [200, 200, 200, 201, 304, 404, 500]
const agent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 OPR/112.0'
/** About what the head and one request take, in bytes. */
const smallest = 300
const requestBytes = 890
const headBytes = 140

/** An event of about `size` bytes: a head and, where there is room, what a server notes of the requests that led to it. */
export function logEvent(id, size, keys, random) {
  const { pick, sentence, whole, hex } = makers(id, random)
  const head = headOf(id, keys, random)
  if (size < smallest) return { ...head, msg: sentence(size - 86) }
  const request = () => ({
    method: pick(methods),
    path: `/v2/${pick(words)}/${hex(8)}/${pick(words)}?page=${whole(100)}&sort=${pick(words)}`,
    status: pick(statuses),
    bytes: whole(100_000),
    took: whole(100_000) / 100,
    agent,
    referer: `https://www.example.com/${pick(words)}/${pick(words)}/${hex(8)}`,
    ip: `10.${whole(256)}.${whole(256)}.${whole(256)}`,
    user: { id: whole(1_000_000), session: hex(32) },
    trace: hex(32),
    service: `${pick(words)}-${pick(words)}`,
    host: `ip-10-${whole(256)}-${whole(256)}.internal`,
    region: 'eu-central-1',
    cached: random() < 0.3,
    detail: sentence(310),
  })
  const requests = Math.max(1, Math.round((size - headBytes) / requestBytes))
  return { ...head, msg: sentence(50), requests: Array.from({ length: requests }, request) }
}

/** An event that is nearly all values, about twice as many a kilobyte: parsing is most of every way's work. */
export function denseEvent(id, size, keys, random) {
  const { pick, sentence, whole, hex } = makers(id, random)
  const spans = Array.from({ length: Math.round((size - 200) / 110) }, (_, i) => ({
    span: hex(8),
    name: `${pick(words)}.${pick(words)}`,
    took: whole(100_000) / 100,
    ok: i % 7 > 0,
    tags: [pick(words), pick(words)],
  }))
  return { ...headOf(id, keys, random), msg: sentence(100), host: { name: `h${id % 97}`, zone: 'b' }, spans }
}

function headOf(id, keys, random) {
  const { pick, whole } = makers(id, random)
  const customer = `c${String(whole(keys)).padStart(6, '0')}`
  return { id, level: pick(levels), customer, ts: 1_700_000_000_000 + id * 7 }
}

function makers(id, random) {
  const whole = (below) => Math.floor(random() * below)
  const pick = (list) => list[whole(list.length)]
  const vocabulary = id % 64 === 0 ? foreign : words
  const sentence = (length) => {
    let text = pick(vocabulary)
    while (text.length < length) text += ` ${pick(vocabulary)}`
    return text
  }
  const hex = (length) => {
    let text = ''
    while (text.length < length)
      text += whole(2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text
  }
  return { whole, pick, sentence, hex }
}

/** Numbers from 0 up to 1, the same for the same seed: mulberry32. */
export function generator(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
