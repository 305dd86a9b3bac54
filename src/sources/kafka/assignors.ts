/** How the partitions of a group are shared out: each member computes it in the same way, but only that of the group's leader counts. */
import type { Subscription, TopicPartitions } from './group-protocol.ts'

/** Shares out partitions. @param counts - How many partitions there are of each topic. */
export type Assignor = (
  members: ReadonlyMap<string, Subscription>,
  counts: ReadonlyMap<string, number>,
) => ReadonlyMap<string, TopicPartitions>

/** How partitions are shared out, by Kafka's names, by which a group agrees on one. */
export type AssignorName = 'cooperative-sticky' | 'range' | 'roundrobin'

/** All of them. */
export const assignorNames = ['cooperative-sticky', 'range', 'roundrobin'] as const satisfies readonly AssignorName[]

interface Place {
  readonly topic: string
  readonly partition: number
}

/** The assignors by their names. */
export const assignors: Readonly<Record<AssignorName, Assignor>> = {
  'cooperative-sticky': cooperativeSticky,
  range,
  roundrobin,
}

/**
 * As many partitions for each member as can be, with as few moves as can be; and one that has to move is nobody's in this round: its owner sees that it is gone, ends what it has begun with it, and joins anew
 * (KIP-429).
 */
function cooperativeSticky(
  members: ReadonlyMap<string, Subscription>,
  counts: ReadonlyMap<string, number>,
): ReadonlyMap<string, TopicPartitions> {
  const owners = ownersOf(members, counts)
  const shares = new Map([...members.keys()].sort().map((id) => [id, new Map<string, Place>()]))
  for (const [name, { place, member }] of owners) shares.get(member)?.set(name, place)
  const takes = (id: string, { topic }: Place): boolean => members.get(id)?.topics.includes(topic) ?? false
  for (const place of placesOf(counts)) {
    if (owners.has(nameOf(place))) continue
    const least = leastOf([...shares].filter(([id]) => takes(id, place)))
    least?.[1].set(nameOf(place), place)
  }
  while (moveOne(shares, takes));
  for (const [id, share] of shares) {
    for (const name of share.keys()) if ((owners.get(name)?.member ?? id) !== id) share.delete(name)
  }
  return new Map([...shares].map(([id, share]) => [id, partitionsOf([...share.values()])]))
}

/** Who has what: where two say that they have the same, the one of the later generation, and nobody where they are of the same. */
function ownersOf(members: ReadonlyMap<string, Subscription>, counts: ReadonlyMap<string, number>) {
  const owners = new Map<string, { place: Place; member: string; generation: number }>()
  const claimed = new Map<string, number>()
  for (const [member, { topics, owned, generation }] of [...members].sort(byName)) {
    for (const [topic, partitions] of owned) {
      for (const partition of partitions) {
        if (partition >= (counts.get(topic) ?? 0) || !topics.includes(topic)) continue
        const place = { topic, partition }
        const latest = claimed.get(nameOf(place)) ?? Number.NEGATIVE_INFINITY
        claimed.set(nameOf(place), Math.max(latest, generation))
        if (generation > latest) owners.set(nameOf(place), { place, member, generation })
        else if (generation === latest) owners.delete(nameOf(place))
      }
    }
  }
  return owners
}

type Shares = ReadonlyMap<string, Map<string, Place>>

/** Moves one partition from a member that has at least two more to one that may have it. @returns Whether there was one */
function moveOne(shares: Shares, takes: (id: string, place: Place) => boolean): boolean {
  const sorted = [...shares].sort((a, b) => b[1].size - a[1].size || byName(a, b))
  for (const [, from] of sorted) {
    for (const [name, place] of [...from].reverse()) {
      const least = leastOf(sorted.filter(([id, share]) => share.size < from.size - 1 && takes(id, place)))
      if (least === undefined) continue
      from.delete(name)
      least[1].set(name, place)
      return true
    }
  }
  return false
}

function leastOf<Share extends { readonly size: number }>(shares: readonly (readonly [string, Share])[]) {
  let least: readonly [string, Share] | undefined
  for (const one of shares) if (least === undefined || one[1].size < least[1].size) least = one
  return least
}

/** For each topic the first members get the first partitions, and one more where they cannot be shared evenly. */
function range(
  members: ReadonlyMap<string, Subscription>,
  counts: ReadonlyMap<string, number>,
): ReadonlyMap<string, TopicPartitions> {
  const given = new Map([...members.keys()].map((id): [string, Place[]] => [id, []]))
  for (const [topic, count] of [...counts].sort(byName)) {
    const takers = [...members].filter(([, { topics }]) => topics.includes(topic)).sort(byName)
    let next = 0
    for (const [index, [id]] of takers.entries()) {
      const share = Math.floor(count / takers.length) + (index < count % takers.length ? 1 : 0)
      for (let i = 0; i < share; i += 1) given.get(id)?.push({ topic, partition: next + i })
      next += share
    }
  }
  return new Map([...given].map(([id, places]) => [id, partitionsOf(places)]))
}

/** One partition after the other, to one member after the other. */
function roundrobin(
  members: ReadonlyMap<string, Subscription>,
  counts: ReadonlyMap<string, number>,
): ReadonlyMap<string, TopicPartitions> {
  const ids = [...members.keys()].sort()
  const given = new Map(ids.map((id): [string, Place[]] => [id, []]))
  let next = 0
  for (const place of placesOf(counts)) {
    for (let tried = 0; tried < ids.length; tried += 1) {
      const id = ids[next % ids.length] ?? ''
      next += 1
      if (members.get(id)?.topics.includes(place.topic) !== true) continue
      given.get(id)?.push(place)
      break
    }
  }
  return new Map([...given].map(([id, places]) => [id, partitionsOf(places)]))
}

function placesOf(counts: ReadonlyMap<string, number>): readonly Place[] {
  return [...counts]
    .sort(byName)
    .flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })))
}

function partitionsOf(places: readonly Place[]): TopicPartitions {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of places) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  for (const partitions of topics.values()) partitions.sort((a, b) => a - b)
  return topics
}

/** The name of a partition. */
export function nameOf({ topic, partition }: Place): string {
  return `${topic}-${partition}`
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
