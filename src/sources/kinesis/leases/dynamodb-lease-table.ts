/**
 * Leases in a table of DynamoDB, with the layout of the Kinesis Client Library: its workers and those of a hosepipe can follow one another, and share a stream. Two attributes are ours, and are nothing to the library:
 * `requestedBy`, and `readFrom`, the time at which a shard was begun that is read from `LATEST`.
 */
import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { systemClock } from '../../../clock.ts'
import { toError } from '../../../errors.ts'
import { importPeer } from '../../../peer-packages.ts'
import { wait } from '../../../retry/wait.ts'
import { type ShardCheckpoint, shardEnd } from '../checkpoints.ts'
import type { Lease, LeaseChange, LeaseTable, NewLease } from './lease.ts'

type Item = Record<string, AttributeValue>
type Sdk = typeof import('@aws-sdk/client-dynamodb')

/** All user records of the record with the sequence number are done; the library compares numbers, and has 64 bits for them. */
const allUserRecords = '9223372036854775807'
const pollEvery = 500

/** See the head of this file. */
export class DynamoDbLeaseTable implements LeaseTable {
  readonly #tableName: string
  readonly #given: DynamoDBClient | undefined
  #ready: { readonly sdk: Sdk; readonly client: DynamoDBClient } | undefined

  constructor(tableName: string, client: DynamoDBClient | undefined) {
    this.#tableName = tableName
    this.#given = client
  }

  async open(): Promise<void> {
    const sdk: Sdk = await importPeer('@aws-sdk/client-dynamodb')
    // Whoever waits for an answer for too long loses its leases.
    const client =
      this.#given ?? new sdk.DynamoDBClient({ requestHandler: { requestTimeout: 3_000, connectionTimeout: 1_000 } })
    this.#ready = { sdk, client }
    const TableName = this.#tableName
    for (;;) {
      try {
        const { Table } = await client.send(new sdk.DescribeTableCommand({ TableName }))
        if (Table?.TableStatus === 'ACTIVE' || Table?.TableStatus === 'UPDATING') return
      } catch (error) {
        if (toError(error).name !== 'ResourceNotFoundException') throw error
        await this.#make()
      }
      await wait(pollEvery, systemClock, new AbortController().signal)
    }
  }

  async #make(): Promise<void> {
    const { sdk, client } = this.#sdk()
    const command = new sdk.CreateTableCommand({
      TableName: this.#tableName,
      KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    })
    try {
      await client.send(command)
    } catch (error) {
      // Another process was faster.
      if (toError(error).name !== 'ResourceInUseException') throw error
    }
  }

  async list(): Promise<readonly Lease[]> {
    const { sdk, client } = this.#sdk()
    const leases: Lease[] = []
    for (let ExclusiveStartKey: Item | undefined; ; ) {
      const command = new sdk.ScanCommand({ TableName: this.#tableName, ConsistentRead: true, ExclusiveStartKey })
      const { Items: items = [], LastEvaluatedKey: last } = await client.send(command)
      leases.push(...items.flatMap((item) => leaseOf(item) ?? []))
      if (last === undefined) return leases
      ExclusiveStartKey = last
    }
  }

  async get(shard: string): Promise<Lease | undefined> {
    const { sdk, client } = this.#sdk()
    const command = new sdk.GetItemCommand({ TableName: this.#tableName, Key: keyOf(shard), ConsistentRead: true })
    const { Item: item } = await client.send(command)
    return item === undefined ? undefined : leaseOf(item)
  }

  async create({ shard, checkpoint, parents, startingHashKey, endingHashKey }: NewLease): Promise<void> {
    const { sdk, client } = this.#sdk()
    const Item: Item = {
      ...keyOf(shard),
      leaseCounter: { N: '0' },
      ownerSwitchesSinceCheckpoint: { N: '0' },
      ...attributesOf(checkpoint),
      ...(parents.length > 0 && { parentShardId: { SS: [...parents] } }),
      ...(startingHashKey !== undefined && { startingHashKey: { S: startingHashKey } }),
      ...(endingHashKey !== undefined && { endingHashKey: { S: endingHashKey } }),
    }
    const command = new sdk.PutItemCommand({
      TableName: this.#tableName,
      Item,
      ConditionExpression: 'attribute_not_exists(leaseKey)',
    })
    await unlessConditionFails(client.send(command))
  }

  async change(lease: Lease, change: LeaseChange): Promise<Lease | undefined> {
    const { sdk, client } = this.#sdk()
    const { owner, checkpoint, requestedBy } = change
    const isSwitch = owner !== undefined && owner !== null && owner !== lease.owner
    const switches = checkpoint === undefined ? lease.switches : 0
    const set: Item = {
      leaseCounter: { N: String(lease.counter + 1) },
      ownerSwitchesSinceCheckpoint: { N: String(switches + (isSwitch ? 1 : 0)) },
      ...(typeof owner === 'string' && { leaseOwner: { S: owner } }),
      ...(typeof requestedBy === 'string' && { requestedBy: { S: requestedBy } }),
      ...(checkpoint !== undefined && attributesOf(checkpoint)),
    }
    const remove = [
      ...(owner === null ? ['leaseOwner'] : []),
      ...(requestedBy === null ? ['requestedBy'] : []),
      ...(checkpoint !== undefined && !('readFrom' in set) ? ['readFrom'] : []),
    ]
    const names = Object.keys(set)
    const command = new sdk.UpdateItemCommand({
      TableName: this.#tableName,
      Key: keyOf(lease.shard),
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}${remove.length > 0 ? ` REMOVE ${remove.map((name) => `#${name}`).join(', ')}` : ''}`,
      ConditionExpression: `#leaseCounter = :wasCounter AND ${lease.owner === undefined ? 'attribute_not_exists(#leaseOwner)' : '#leaseOwner = :wasOwner'}`,
      ExpressionAttributeNames: Object.fromEntries(
        [...names, ...remove, 'leaseOwner'].map((name) => [`#${name}`, name]),
      ),
      ExpressionAttributeValues: {
        ...Object.fromEntries(Object.entries(set).map(([name, value]) => [`:${name}`, value])),
        ':wasCounter': { N: String(lease.counter) },
        ...(lease.owner !== undefined && { ':wasOwner': { S: lease.owner } }),
      },
      ReturnValues: 'ALL_NEW',
    })
    const answer = await unlessConditionFails(client.send(command))
    return answer?.Attributes === undefined ? undefined : leaseOf(answer.Attributes)
  }

  async request({ shard, owner = '' }: Lease, by: string): Promise<void> {
    const { sdk, client } = this.#sdk()
    const command = new sdk.UpdateItemCommand({
      TableName: this.#tableName,
      Key: keyOf(shard),
      UpdateExpression: 'SET requestedBy = :by',
      ConditionExpression: 'leaseOwner = :wasOwner',
      ExpressionAttributeValues: { ':by': { S: by }, ':wasOwner': { S: owner } },
    })
    await unlessConditionFails(client.send(command))
  }

  async delete({ shard, counter }: Lease): Promise<void> {
    const { sdk, client } = this.#sdk()
    const command = new sdk.DeleteItemCommand({
      TableName: this.#tableName,
      Key: keyOf(shard),
      ConditionExpression: 'leaseCounter = :wasCounter',
      ExpressionAttributeValues: { ':wasCounter': { N: String(counter) } },
    })
    await unlessConditionFails(client.send(command))
  }

  #sdk(): { readonly sdk: Sdk; readonly client: DynamoDBClient } {
    if (this.#ready === undefined) throw new Error('the table of leases has not been opened')
    return this.#ready
  }
}

async function unlessConditionFails<Answer>(sent: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await sent
  } catch (error) {
    if (toError(error).name === 'ConditionalCheckFailedException') return undefined
    throw error
  }
}

function keyOf(shard: string): Item {
  return { leaseKey: { S: shard } }
}

/** An item that is none of the library's leases is none for us. */
function leaseOf(item: Item): Lease | undefined {
  const { leaseKey, leaseCounter, leaseOwner, ownerSwitchesSinceCheckpoint, parentShardId, requestedBy } = item
  if (leaseKey?.S === undefined || leaseCounter?.N === undefined) return undefined
  return {
    shard: leaseKey.S,
    owner: leaseOwner?.S,
    counter: Number(leaseCounter.N),
    checkpoint: checkpointOf(item),
    switches: Number(ownerSwitchesSinceCheckpoint?.N ?? 0),
    parents: parentShardId?.SS ?? [],
    requestedBy: requestedBy?.S,
  }
}

function attributesOf(checkpoint: ShardCheckpoint): Item {
  if (checkpoint.startsWith('@')) {
    return {
      checkpoint: { S: 'LATEST' },
      checkpointSubSequenceNumber: { N: '0' },
      readFrom: { N: checkpoint.slice(1) },
    }
  }
  const isSequence = /^\d+$/.test(checkpoint)
  return { checkpoint: { S: checkpoint }, checkpointSubSequenceNumber: { N: isSequence ? allUserRecords : '0' } }
}

function checkpointOf({ checkpoint, checkpointSubSequenceNumber: sub, readFrom }: Item): ShardCheckpoint {
  const text = checkpoint?.S ?? 'TRIM_HORIZON'
  if (text === shardEnd || text === 'TRIM_HORIZON') return text
  if (readFrom?.N !== undefined) return `@${readFrom.N}`
  if (text === 'LATEST') return text
  // The time from which the library reads stands nowhere: everything is more than that.
  if (!/^\d+$/.test(text)) return 'TRIM_HORIZON'
  // The library may have done only some of the user records in a record, and does not say how many there are.
  return sub?.N === allUserRecords ? text : `=${text}`
}
