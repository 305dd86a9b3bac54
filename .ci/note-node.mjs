// Loaded into every process of a test run by .ci/run: notes which Node it is.
import { appendFileSync } from 'node:fs'

const notes = process.env.HOSEPIPE_CI_NODES
if (notes !== undefined) appendFileSync(notes, `${process.versions.node}\n`)
