// Imports its argument, and prints the names of the packages whose files were loaded, whether imported or required, and how many of ours.
import { createRequire, register } from 'node:module'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

const hooks = `
let port
export async function initialize(data) { port = data.port }
export async function load(url, context, next) {
  port.postMessage(url)
  return next(url, context)
}`
const { port1, port2 } = new MessageChannel()
register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: { port: port2 }, transferList: [port2] })

await import(process.argv[2])
const urls = []
for (let next = receiveMessageOnPort(port1); next !== undefined; next = receiveMessageOnPort(port1))
  urls.push(next.message)
const files = [...urls, ...Object.keys(createRequire(import.meta.url).cache)].map((file) => file.replaceAll('\\', '/'))
const names = files.flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [])
console.log(
  JSON.stringify({ packages: [...new Set(names)].sort(), files: names.filter((name) => name === 'hosepipe').length }),
)
