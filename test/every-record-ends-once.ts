/**
 * Whole ways at random, against a model that fits on a page: every record is delivered, dropped or backed up, once, whatever
 * functions, destinations and backups do. Time is steered, so every run is the same for the same seed.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import {
  Account,
  batch,
  type Counts,
  type DeliverStream,
  deliver,
  discard,
  drop,
  fail,
  fanOut,
  field,
  HosepipeError,
  json,
  lines,
  Records,
  readBackupRecord,
  type SourceBackupStage,
  several,
  sourceBackup,
  split,
  transform,
} from '../src/index.ts'
import { ManualClock, settled } from './support/manual-clock.ts'
import { type Answer, type Scripted, Sleeper, scripted } from './support/scripted.ts'

/** What the transform does with a record. */
const action = fc.oneof(
  { weight: 6, arbitrary: fc.constant('keep' as const) },
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'change',
      'text',
      'drop',
      'one',
      'none',
      'three',
      'fail',
      'throw',
      'nothing',
      'half',
      'bad',
    ),
  },
)
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never

interface Input {
  readonly id: number
  readonly act: Action
  readonly k?: string
}

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ answer: fc.constant('taken' as const), after: fc.constantFrom(0, 0, 3, 30) }),
  fc.record({ answer: fc.constant('refused' as const), mask: fc.nat(255), retryable: fc.boolean() }),
  fc.record({ answer: fc.constant('failed' as const), retryable: fc.boolean() }),
  fc.constant({ answer: 'nothing' as const }),
)
const taken: Answer = { answer: 'taken', after: 0 }
const broken: Answer = { answer: 'failed', retryable: false }

const branch = fc.record({
  batch: fc.record({
    maxRecords: fc.constantFrom(undefined, 1, 2, 5),
    maxBytes: fc.constantFrom(undefined, 1, 40, 200),
    maxAge: fc.constantFrom(0, 5, 50),
    keyed: fc.boolean(),
    maxOpenKeys: fc.constantFrom(undefined, 1, 2),
    format: fc.constant(undefined),
  }),
  limits: fc.constantFrom(undefined, { maxBytes: 45 }, { maxRecords: 2 }),
  script: fc.array(answer, { maxLength: 8 }),
  rest: fc.constantFrom(taken, taken, taken, broken, {
    answer: 'refused',
    mask: 0b0110_0101,
    retryable: true,
  } as const),
  concurrency: fc.constantFrom(1, 3),
  retry: fc.constantFrom(false as const, { retryFor: 0 }, { retryFor: 500, minDelay: 7 }),
  backup: fc.constantFrom('works', 'works', 'works', 'limps', 'broken', 'discard', 'none'),
})
type BranchPlan = typeof branch extends fc.Arbitrary<infer Value> ? Value : never

const plan = fc.record({
  inputs: fc.array(
    fc.record({
      act: action,
      k: fc.constantFrom('a', 'b', 'c', undefined),
      delay: fc.constantFrom(undefined, 0, 1, 9),
    }),
    { maxLength: 30 },
  ),
  /** How many records come at a time, and how long after those before. */
  runs: fc.record({ size: fc.integer({ min: 1, max: 12 }), after: fc.constantFrom(0, 1, 20) }),
  entrance: fc.constantFrom('bytes', 'objects', 'receipts'),
  concurrency: fc.constantFrom(1, 2, 7),
  branches: fc.array(branch, { minLength: 1, maxLength: 3 }),
  copy: fc.option(branch, { freq: 3 }),
})
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never

/** What the model says: the records that leave the transform, and those that fail in it. */
interface Expected {
  readonly originals: readonly string[]
  readonly out: readonly { readonly text: string; readonly key: string | undefined; readonly original: string }[]
  readonly failed: readonly string[]
  readonly dropped: number
}

const inputOf = ({ act, k }: Plan['inputs'][number], id: number): Input => ({ id, act, ...(k !== undefined && { k }) })

function model(inputs: Plan['inputs']): Expected {
  const out: Expected['out'][number][] = []
  const failed: string[] = []
  let dropped = 0
  const originals = inputs.map((input, id) => JSON.stringify(inputOf(input, id)))
  for (const [id, input] of inputs.entries()) {
    const record = inputOf(input, id)
    const put = (...values: readonly object[]) => {
      for (const value of values)
        out.push({ text: JSON.stringify(value), key: record.k, original: originals[id] ?? '' })
    }
    const original = originals[id] ?? ''
    const { act } = record
    if (act === 'keep') put(record)
    else if (act === 'change' || act === 'text') put({ ...record, changed: true })
    else if (act === 'one') put({ ...record, part: 0 })
    else if (act === 'three') put(...[0, 1, 2].map((part) => ({ ...record, part })))
    else if (act === 'drop' || act === 'none') dropped += 1
    else failed.push(original)
  }
  return { originals, out, failed, dropped }
}

function act(record: Input): NonNullable<unknown> {
  const parts = (count: number) => several(Array.from({ length: count }, (_, part) => ({ ...record, part })))
  switch (record.act) {
    case 'keep':
      return record
    case 'change':
      return { ...record, changed: true }
    case 'text':
      return JSON.stringify({ ...record, changed: true })
    case 'drop':
      return drop
    case 'one':
      return parts(1)
    case 'none':
      return parts(0)
    case 'three':
      return parts(3)
    case 'fail':
      return fail('no good')
    case 'throw':
      throw new Error('oh')
    case 'nothing':
      return nothing()
    case 'half':
      return several([{ ...record, part: 0 }, { circle: circle() }])
    default:
      return 1n
  }
}

/** A value without a JSON form. */
function circle(): object {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  return circle
}

/** A function that forgets its `return`, as the types would not let it. */
function nothing(): NonNullable<unknown> {
  const answers: NonNullable<unknown>[] = []
  return answers[0] as NonNullable<unknown>
}

/** One end of a way: its stream, and what came to its destination and its backup. */
interface End {
  readonly plan: BranchPlan
  readonly stream: DeliverStream
  readonly to: Scripted
  readonly backup: Scripted
}

function backupOf({ backup }: BranchPlan, sleeper: Sleeper, onSend: () => void): Scripted {
  if (backup === 'broken') return scripted('backup', sleeper, [taken], broken, onSend)
  if (backup !== 'limps') return scripted('backup', sleeper, [], taken, onSend)
  const refused: Answer = { answer: 'refused', mask: 0b1010_1010, retryable: true }
  return scripted('backup', sleeper, [{ answer: 'failed', retryable: true }, refused, refused, taken], taken, onSend)
}

/** Says what is wrong where a law does not hold; fast-check makes the case small. */
function check(holds: boolean, message: () => string): void {
  if (!holds) throw new Error(message())
}

function checkConserved(name: string, counts: Counts): void {
  const { in: all, delivered, dropped, backedUp, pending } = counts
  check(all === delivered + dropped + backedUp + pending, () => `${name}: ${JSON.stringify(counts)} does not add up`)
}

const sorted = (texts: readonly string[]): readonly string[] => texts.toSorted()
const isSubset = (part: readonly string[], whole: readonly string[]): boolean => {
  const left = new Map<string, number>()
  for (const text of whole) left.set(text, (left.get(text) ?? 0) + 1)
  for (const text of part) left.set(text, (left.get(text) ?? 0) - 1)
  return [...left.values()].every((count) => count >= 0)
}

class Run {
  readonly clock = new ManualClock()
  readonly sleeper = new Sleeper(this.clock)
  readonly source = new Account()
  readonly ends: End[] = []
  readonly plan: Plan
  settledRuns = 0
  openedRuns = 0
  #copy: End | undefined
  #whole: { readonly name: string; counts(): Counts }[] = []

  constructor(plan: Plan) {
    this.plan = plan
  }

  /** Runs the way until it has ended; returns its error. */
  async play(): Promise<unknown> {
    const { clock } = this
    let outcome: { error: unknown } | undefined
    pipeline([this.#input(), ...this.#way()]).then(
      () => {
        outcome = { error: undefined }
      },
      (error) => {
        outcome = { error }
      },
    )
    for (let turns = 0; outcome === undefined; turns += 1) {
      await settled()
      this.look()
      if (clock.next !== undefined) clock.advance(clock.next)
      check(turns < 20_000, () => 'the way does not come to its end')
    }
    for (let turns = 0; turns < 5; turns += 1) await settled()
    this.look()
    const left = clock.waiting - this.sleeper.asleep
    check(left === 0, () => `${left} timers are left`)
    return outcome.error
  }

  /** The law, at this moment. */
  look(): void {
    for (const { name, counts } of this.#whole) checkConserved(name, counts())
    for (const [i, { stream }] of this.ends.entries()) checkConserved(`branch ${i}`, stream.stats())
    if (this.#copy !== undefined) checkConserved('copy', this.#copy.stream.stats())
  }

  get copy(): End | undefined {
    return this.#copy
  }

  #input(): Readable {
    const { clock, plan, source } = this
    const { size, after } = plan.runs
    const records = plan.inputs.map(inputOf)
    const run = this
    async function* generate(): AsyncGenerator<unknown> {
      for (let from = 0; from < records.length; from += size) {
        if (after > 0) await run.sleeper.sleep(after)
        const part = records.slice(from, from + size)
        const texts = part.map((record) => JSON.stringify(record))
        if (plan.entrance === 'objects') yield* part
        else if (plan.entrance === 'bytes') yield Buffer.from(texts.map((text) => `${text}\n`).join(''))
        else {
          run.openedRuns += 1
          const onSettled = () => {
            run.settledRuns += 1
          }
          yield Records.pack(
            { receipt: source.open(part.length, clock.wall(), { onSettled }), arrivedAt: clock.wall() },
            texts,
          )
        }
      }
    }
    return Readable.from(generate(), { highWaterMark: 1 })
  }

  #way() {
    const { clock, plan } = this
    const byId = plan.inputs.map(({ delay }) => delay)
    const fn = (record: Input) => {
      this.look()
      const delay = byId[record.id]
      if (delay === undefined) return act(record)
      return this.sleeper.sleep(delay).then(() => act(record))
    }
    const splitting = plan.entrance === 'bytes' ? [split(lines(), { clock })] : []
    const changing = transform(json(fn), { concurrency: plan.concurrency, clock })
    const copying: SourceBackupStage[] = []
    if (plan.copy !== null) {
      const { way, end } = this.#branch(plan.copy, false)
      this.#copy = end
      copying.push(sourceBackup(way, { clock }))
    }
    const branches = plan.branches.map((branchPlan) => {
      const { way, end } = this.#branch(branchPlan, true)
      this.ends.push(end)
      return way
    })
    const ours = [...splitting, ...copying, changing]
    const [only] = branches
    const last = branches.length === 1 && only !== undefined ? only : [fanOut(...branches)]
    // Records that are dropped before any of their run arrives are counted only by who is told of their account.
    const entrance = plan.entrance === 'receipts' ? this.source : ours[0]?.account
    if (branches.length === 1) this.ends[0]?.stream.count(copying[0]?.onward ?? entrance ?? this.source)
    this.#whole = [
      { name: 'source', counts: () => this.source.counts() },
      ...ours.map((stage, i) => ({ name: `stage ${i}`, counts: () => stage.account.counts() })),
    ]
    return [...ours, ...last]
  }

  #branch(plan: BranchPlan, keyed: boolean) {
    const { clock } = this
    const onSend = () => this.look()
    const to = { ...scripted('primary', this.sleeper, plan.script, plan.rest, onSend), limits: plan.limits }
    const backup = backupOf(plan, this.sleeper, onSend)
    const stream = deliver(to, {
      clock,
      random: () => 0.5,
      concurrency: plan.concurrency,
      timeout: 40,
      retry: plan.retry,
      backupBatch: { maxAge: 20 },
      ...(plan.backup !== 'none' && { backup: plan.backup === 'discard' ? discard() : backup }),
    })
    const { keyed: wantsKey, ...limits } = plan.batch
    const batching = batch({ ...limits, clock, ...(wantsKey && keyed && { key: field('k') }) })
    const way = [batching, stream] as const
    return { way, end: { plan, stream, to, backup } satisfies End }
  }
}

/** What ended how, in one branch, against what the model expects there. */
function checkEnd(end: End, expected: Expected, where: 'branch' | 'one of several' | 'copy', error: unknown): void {
  const isCopy = where === 'copy'
  const { plan, stream, to, backup } = end
  const keyed = plan.batch.keyed && !isCopy
  const hasKey = ({ key }: Expected['out'][number]): boolean => !keyed || key !== undefined
  const deliverable = isCopy ? expected.originals : expected.out.filter(hasKey).map(({ text }) => text)
  // What has no key is backed up as it came in, and once where several were made of it.
  const withoutKey = new Set(expected.out.filter((one) => !hasKey(one)).map(({ original }) => original))
  const all = isCopy ? deliverable : [...deliverable, ...withoutKey, ...expected.failed]
  const backedUp = backup.taken.map((line) => String(readBackupRecord(line).record))
  const { delivered, dropped, backedUp: counted, pending } = stream.stats()
  check(isSubset(to.taken, deliverable), () => `${where}: it took ${to.taken}, of ${deliverable}`)
  check(isSubset([...to.taken, ...backedUp], all), () => `${where}: ${to.taken} and ${backedUp} are more than ${all}`)
  check(delivered <= to.taken.length, () => `${where}: ${delivered} count as delivered, of ${to.taken.length}`)
  check(counted <= backedUp.length, () => `${where}: ${counted} count as backed up, of ${backedUp.length}`)
  if (error !== undefined) return
  const lost = plan.backup === 'discard' ? all.length - to.taken.length : 0
  check(pending === 0, () => `${where}: ${pending} are pending at the end`)
  check(delivered === to.taken.length, () => `${where}: ${delivered} were delivered, but it took ${to.taken.length}`)
  check(counted === backedUp.length, () => `${where}: ${counted} were backed up, but it took ${backedUp.length}`)
  // What is dropped before the ways part is not of any branch.
  const droppedHere = where === 'branch' ? expected.dropped : 0
  check(dropped === droppedHere + lost, () => `${where}: ${dropped} were dropped, not ${droppedHere} and ${lost}`)
  if (plan.backup === 'discard') return
  const got = sorted([...to.taken, ...backedUp])
  check(JSON.stringify(got) === JSON.stringify(sorted(all)), () => `${where}: ${got} ended, not ${sorted(all)}`)
}

/** Whether the backup may fail for good: the primary's retries are the backup's too. */
function isFragile({ backup, retry }: BranchPlan): boolean {
  const isTriedAgain = retry !== false && retry.retryFor > 0
  return backup === 'none' || backup === 'broken' || (backup === 'limps' && !isTriedAgain)
}

t.test('every record ends once, whatever happens', { timeout: 60_000 }, async (t) => {
  let [completed, ended] = [0, 0]
  await fc.assert(
    fc.asyncProperty(plan, async (plan) => {
      const run = new Run(plan)
      const error = await run.play()
      const expected = model(plan.inputs)
      const where = run.ends.length === 1 ? 'branch' : 'one of several'
      for (const end of run.ends) checkEnd(end, expected, where, error)
      if (run.copy !== undefined) checkEnd(run.copy, expected, 'copy', error)
      const fragile = [...run.ends, ...(run.copy ? [run.copy] : [])].some(({ plan }) => isFragile(plan))
      if (error === undefined) {
        completed += 1
        check(run.settledRuns === run.openedRuns, () => `${run.settledRuns} of ${run.openedRuns} runs were settled`)
        check(run.source.pending === 0, () => `${run.source.pending} are pending at the source`)
        return
      }
      ended += 1
      check(fragile, () => `there is a backup, but the way ended with ${error}`)
      const isOurs = error instanceof HosepipeError && (error.code === 'Backup.None' || error.code === 'Backup.Failed')
      check(isOurs, () => `the way ended with ${error}`)
    }),
    { numRuns: 300 },
  )
  t.comment(`${completed} ways came to their end, ${ended} were ended by a failure without a backup`)
  t.ok(completed > 0 && ended > 0, 'both kinds were among them')
})
