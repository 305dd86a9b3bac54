// Loaded before a server that would listen on every address: it then listens on loopback alone.
const { Server } = require('node:net')

const { listen } = Server.prototype
Server.prototype.listen = function onLoopback(first, ...rest) {
  if (first && typeof first === 'object') return listen.call(this, { ...first, host: '127.0.0.1' }, ...rest)
  const callbacks = rest.filter((one) => typeof one === 'function')
  return listen.call(this, { port: Number(first), host: '127.0.0.1' }, ...callbacks)
}
