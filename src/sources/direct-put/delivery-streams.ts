/** The delivery streams of a server, and the operations on them (API reference of the service). */
import type { Writable } from 'node:stream'
import type { Clock } from '../../clock.ts'
import { OptionError, toError } from '../../errors.ts'
import { redact } from '../../redact.ts'
import { ApiError, invalidArgument } from './api-error.ts'
import { Constraints, isMembers, type Members } from './constraints.ts'
import { type DeliveryStream, description, destinationId, type Tags } from './delivery-stream.ts'
import { destinationIn, updated } from './descriptions.ts'
import { nameRule } from './put-data.ts'
import { type PutShape, PutTarget } from './put-target.ts'
import { type SavedStream, SavedStreams } from './saved-streams.ts'

/** What a stream is made of: the members of CreateDeliveryStream, and what the server knows of it. */
export interface DeliveryStreamRequest {
  /** The members of CreateDeliveryStream, those that were updated included. */
  readonly config: Readonly<Record<string, unknown>>
  /** The stream's name. */
  readonly name: string
  /** Its ARN. */
  readonly arn: string
  /** Its version: 1, and one more with each update. */
  readonly version: number
}

/** Makes the stream that records of a delivery stream are written to. */
export type MakeStream = (request: DeliveryStreamRequest) => Writable | Promise<Writable>

/** What {@link DeliveryStreams} needs of the options. */
export interface StreamsShape extends PutShape {
  readonly clock: Clock
  readonly region: string
  readonly accountId: string
  readonly maxStreams: number
  readonly create: MakeStream | undefined
  readonly stateFile: string | undefined
}

const types = ['DirectPut', 'KinesisStreamAsSource', 'MSKAsSource', 'DatabaseAsSource']
const disabled = { Status: 'DISABLED' }
const maxTags = 50
const tagKey = { min: 1, max: 128, pattern: /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u }
const tagValue = { min: 0, max: 256, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u }

/** See the head of this file. */
export class DeliveryStreams {
  readonly #streams = new Map<string, DeliveryStream>()
  /** Names that are being created. */
  readonly #making = new Set<string>()
  /** The ends of what streams were before they were changed, while these are under way. */
  readonly #former = new Set<Promise<void>>()
  readonly #shape: StreamsShape
  readonly #failed: (name: string, error: Error) => void
  readonly #saved: SavedStreams | undefined
  /** What was saved under names that are given now: it stays in the file. */
  readonly #hidden: SavedStream[] = []

  /** @param failed - Hears of streams that fail. */
  constructor(
    shape: StreamsShape,
    given: Readonly<Record<string, Writable>>,
    failed: (name: string, error: Error) => void,
  ) {
    this.#shape = shape
    this.#failed = failed
    this.#saved = shape.stateFile === undefined ? undefined : new SavedStreams(shape.stateFile)
    for (const [name, stream] of Object.entries(given)) this.#add(name, stream, 'DirectPut', undefined, new Map())
  }

  /** Makes the streams again that were saved. @throws OptionError */
  async restore(): Promise<void> {
    for (const saved of this.#saved?.read() ?? []) {
      const { name, type, config, tags, version, createdAt, updatedAt, encryption } = saved
      // What is given now counts more than what was created then.
      if (this.#streams.has(name)) {
        this.#hidden.push(saved)
        continue
      }
      const stream = this.#add(name, await this.#make(name, config, version), type, config, new Map(tags))
      Object.assign(stream, { version, createdAt, updatedAt, encryption })
    }
  }

  #save(): void {
    this.#saved?.write(this.all(), this.#hidden)
  }

  /** The stream that records are put to. @throws ApiError */
  puttable(name: string): DeliveryStream {
    const stream = this.#named(name)
    if (stream.type === 'DirectPut') return stream
    throw invalidArgument(`This operation is not permitted on ${stream.type} delivery stream type.`)
  }

  /** All of them. */
  all(): readonly DeliveryStream[] {
    return [...this.#streams.values()]
  }

  async create(members: Members): Promise<object> {
    const constraints = new Constraints(members)
    const name = constraints.text('DeliveryStreamName', nameRule)
    const type = constraints.optionalText('DeliveryStreamType', { words: types }) ?? 'DirectPut'
    constraints.check()
    const tags = readTags(members.Tags ?? [])
    const { accountId, maxStreams } = this.#shape
    if (this.#streams.has(name) || this.#making.has(name)) {
      throw new ApiError('ResourceInUseException', `Firehose ${name} under accountId ${accountId} already exists`)
    }
    if (this.#streams.size + this.#making.size >= maxStreams) {
      throw new ApiError(
        'LimitExceededException',
        `You have already consumed your firehose quota of ${maxStreams} hoses.`,
      )
    }
    destinationIn(members)
    this.#making.add(name)
    try {
      const stream = await this.#make(name, members, 1)
      const { arn, target } = this.#add(name, stream, type, members, tags)
      try {
        this.#save()
      } catch (error) {
        // Whoever hears that it failed will create it again.
        this.#streams.delete(name)
        await target.end()
        throw error
      }
      return { DeliveryStreamARN: arn }
    } finally {
      this.#making.delete(name)
    }
  }

  /** Ends all streams, and resolves when everything is delivered that any of them has taken, also before it was changed. */
  endAll(): Promise<readonly PromiseSettledResult<void>[]> {
    return Promise.allSettled([...this.all().map(({ target }) => target.end()), ...this.#former])
  }

  describe(members: Members): object {
    return description(this.#requested(members))
  }

  list(members: Members): object {
    const constraints = new Constraints(members)
    const limit = constraints.number('Limit', { min: 1, max: 10_000, otherwise: 10 })
    const after = constraints.optionalText('ExclusiveStartDeliveryStreamName', nameRule) ?? ''
    const type = constraints.optionalText('DeliveryStreamType', { words: types })
    constraints.check()
    const names = this.all()
      .filter((stream) => stream.name > after && (type === undefined || stream.type === type))
      .map(({ name }) => name)
      .sort()
    return { DeliveryStreamNames: names.slice(0, limit), HasMoreDeliveryStreams: names.length > limit }
  }

  async update(members: Members): Promise<object> {
    const stream = this.#requested(members)
    const constraints = new Constraints(members)
    const version = constraints.text('CurrentDeliveryStreamVersionId', { min: 1, max: 50, pattern: /^[0-9]+$/ })
    const id = constraints.text('DestinationId', { min: 1, max: 100, pattern: /^[a-zA-Z0-9-]+$/ })
    constraints.check()
    const { name, config } = stream
    if (stream.status !== 'ACTIVE') throw new ApiError('ResourceInUseException', `Firehose ${name} is being deleted.`)
    if (config === undefined)
      throw invalidArgument(`The delivery stream ${name} was given to the server, and is not changed here.`)
    if (id !== destinationId) throw invalidArgument(`Destination Id ${id} not found`)
    const changed = updated(config, members)
    if (version !== String(stream.version) || this.#making.has(name)) {
      const words = `Cannot update firehose: ${name} since the current version id: ${stream.version} and specified version id: ${version} do not match`
      throw new ApiError('ConcurrentModificationException', words)
    }
    this.#making.add(name)
    try {
      const made = await this.#make(name, changed, stream.version + 1)
      const next = this.#targetOf(name, made)
      if (stream.status !== 'ACTIVE') {
        await next.end()
        throw new ApiError('ResourceInUseException', `Firehose ${name} is being deleted.`)
      }
      const { target } = stream
      stream.version += 1
      stream.config = changed
      stream.updatedAt = this.#shape.clock.wall()
      stream.target = next
      stream.accounts.push(stream.target.account)
      // What it has taken before goes where it went then; whether that fails is told by the stream.
      const end = target.end()
      this.#former.add(end)
      const forget = () => void this.#former.delete(end)
      end.then(forget, forget)
      this.#save()
    } finally {
      this.#making.delete(name)
    }
    return {}
  }

  /** Delivers what there is, and then forgets the stream; with `AllowForceDelete` it is destroyed. */
  delete(members: Members): object {
    const stream = this.#requested(members)
    if (stream.status === 'DELETING') return {}
    stream.status = 'DELETING'
    const forget = () => void this.#streams.delete(stream.name)
    stream.target.end().then(forget, forget)
    if (members.AllowForceDelete === true) stream.target.stream.destroy()
    this.#save()
    return {}
  }

  startEncryption(members: Members): object {
    const stream = this.#requested(members)
    const given = new Constraints(members).optionalObject('DeliveryStreamEncryptionConfigurationInput') ?? {}
    const constraints = new Constraints({ KeyType: 'AWS_OWNED_CMK', ...given })
    const KeyType = constraints.text('KeyType', { words: ['AWS_OWNED_CMK', 'CUSTOMER_MANAGED_CMK'] })
    const KeyARN = constraints.optionalText('KeyARN', { min: 1, max: 512 })
    constraints.check()
    if ((KeyType === 'CUSTOMER_MANAGED_CMK') !== (KeyARN !== undefined)) {
      throw invalidArgument('KeyARN must be given with CUSTOMER_MANAGED_CMK, and only with it.')
    }
    stream.encryption = { KeyARN, KeyType, Status: 'ENABLED' }
    this.#save()
    return {}
  }

  stopEncryption(members: Members): object {
    this.#requested(members).encryption = disabled
    this.#save()
    return {}
  }

  tag(members: Members): object {
    const { tags } = this.#requested(members)
    const more = readTags(new Constraints(members).list('Tags', { min: 1, max: maxTags }))
    const all = new Map([...tags, ...more])
    if (all.size > maxTags)
      throw new ApiError('LimitExceededException', `A delivery stream has at most ${maxTags} tags.`)
    for (const [key, value] of more) tags.set(key, value)
    this.#save()
    return {}
  }

  untag(members: Members): object {
    const { tags } = this.#requested(members)
    for (const key of new Constraints(members).list('TagKeys', { min: 1, max: maxTags })) tags.delete(String(key))
    this.#save()
    return {}
  }

  listTags(members: Members): object {
    const { tags } = this.#requested(members)
    const constraints = new Constraints(members)
    const limit = constraints.number('Limit', { min: 1, max: maxTags, otherwise: maxTags })
    const after = constraints.optionalText('ExclusiveStartTagKey', { min: 1, max: 128 }) ?? ''
    constraints.check()
    const found = [...tags].filter(([key]) => key > after).sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      Tags: found.slice(0, limit).map(([Key, Value]) => ({ Key, Value })),
      HasMoreTags: found.length > limit,
    }
  }

  #requested(members: Members): DeliveryStream {
    const constraints = new Constraints(members)
    const name = constraints.text('DeliveryStreamName', nameRule)
    constraints.check()
    return this.#named(name, true)
  }

  #named(name: string, isAny = false): DeliveryStream {
    const stream = this.#streams.get(name)
    if (stream !== undefined && (isAny || stream.status === 'ACTIVE')) return stream
    const words = `Firehose ${name} under account ${this.#shape.accountId} not found.`
    throw new ApiError('ResourceNotFoundException', words)
  }

  async #make(name: string, config: Members, version: number): Promise<Writable> {
    const { create } = this.#shape
    if (create === undefined)
      throw invalidArgument('This server makes no delivery streams: it was given no create function.')
    try {
      return await create({ config, name, arn: this.#arnOf(name), version })
    } catch (thrown) {
      const error = toError(thrown)
      if (error instanceof OptionError) throw invalidArgument(redact(error.message))
      throw error
    }
  }

  #add(name: string, made: Writable, type: string, config: Members | undefined, tags: Tags): DeliveryStream {
    const target = this.#targetOf(name, made)
    const stream: DeliveryStream = {
      name,
      arn: this.#arnOf(name),
      type,
      createdAt: this.#shape.clock.wall(),
      tags,
      config,
      target,
      accounts: [target.account],
      status: 'ACTIVE',
      version: 1,
      updatedAt: undefined,
      encryption: disabled,
    }
    this.#streams.set(name, stream)
    return stream
  }

  #targetOf(name: string, made: Writable): PutTarget {
    const target = new PutTarget(made, this.#shape)
    target.over.catch((error) => {
      target.account.abandon(toError(error))
      // Who deletes a stream by force knows that it fails.
      if (this.#streams.get(name)?.status !== 'DELETING') this.#failed(name, toError(error))
    })
    return target
  }

  #arnOf(name: string): string {
    const { region, accountId } = this.#shape
    return `arn:aws:firehose:${region}:${accountId}:deliverystream/${name}`
  }
}

function readTags(given: unknown): Tags {
  const list = new Constraints({ Tags: given }).list('Tags', { min: 0, max: maxTags })
  return new Map(
    list.map((tag) => {
      const constraints = new Constraints(isMembers(tag) ? tag : {})
      const key = constraints.text('Key', tagKey)
      const value = constraints.optionalText('Value', tagValue)
      constraints.check()
      return [key, value]
    }),
  )
}
