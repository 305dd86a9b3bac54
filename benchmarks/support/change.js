/** The change of P3 as a module that threads load: as a user's, it imports what it needs. */
import { dist } from './build.js'
import { change } from './reading.js'

const { json } = await import(new URL('index.js', dist).href)

export default json(change)
