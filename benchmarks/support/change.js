/** The change of P3 as a module that threads load. */
import { json } from './hosepipe.js'
import { change } from './reading.js'

export default json(change)
