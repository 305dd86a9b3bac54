/** The columns of a file as a tree: what is in what, and the columns that the values come to stand in. */
import type { Column, ColumnType } from './column-type.ts'
import { compile, type Shared } from './convert.ts'
import { KeyNames } from './key-names.ts'
import { Leaf, type LeafType } from './leaf.ts'
import type { Convert } from './scalars.ts'

/** A place in the tree. */
export type ColumnNode = LeafNode | StructNode | ArrayNode | MapNode

interface NodeFacts {
  /** The level up to which a value here is defined, and that of one that is null. */
  readonly definition: number
  readonly nullDefinition: number
  /** All columns at or below it. */
  readonly leaves: readonly Leaf[]
  /** Makes what stands here of any value. */
  readonly convert: Convert
}

/** A column. */
export interface LeafNode extends NodeFacts {
  readonly kind: 'leaf'
  readonly leaf: Leaf
}

/** An object with members. */
export interface StructNode extends NodeFacts {
  readonly kind: 'struct'
  readonly names: readonly string[]
  /** The bytes of each key as it was written last, with the quote behind it. */
  readonly keys: Buffer[]
  readonly places: KeyNames
  readonly children: readonly ColumnNode[]
  /** For each member in which object it was seen last. */
  readonly seen: Uint32Array
}

/** A list. */
export interface ArrayNode extends NodeFacts {
  readonly kind: 'array'
  readonly element: ColumnNode
  /** The level of an element that does not begin the list. */
  readonly repetition: number
}

/** An object whose keys are values. */
export interface MapNode extends NodeFacts {
  readonly kind: 'map'
  readonly key: ColumnNode
  readonly value: ColumnNode
  readonly repetition: number
}

/** What the levels are around a node. */
interface Around {
  readonly path: readonly string[]
  readonly definition: number
  readonly repetition: number
}

/**
 * The tree of some columns.
 *
 * @param keys - The JSON key of each column.
 */
export function columnTree(columns: readonly Column[], keys: readonly string[], shared: Shared): StructNode {
  const children = columns.map(({ name, type }) => {
    return nodeOf(type, { path: [name], definition: 0, repetition: 0 }, `column ${name}`, shared)
  })
  return structOf(
    columns.map(({ name }) => name),
    keys,
    children,
    { definition: 0, nullDefinition: 0, convert: () => undefined },
    shared,
  )
}

function nodeOf(type: ColumnType, around: Around, place: string, shared: Shared, isRequired = false): ColumnNode {
  const convert = compile(type, place, shared)
  const nullDefinition = around.definition
  const definition = nullDefinition + (isRequired ? 0 : 1)
  const inside = (...names: readonly string[]): Around => ({
    path: [...around.path, ...names],
    definition,
    repetition: around.repetition,
  })
  switch (type.kind) {
    case 'struct': {
      const children = type.members.map((member) =>
        nodeOf(member.type, inside(member.name), `${place}.${member.name}`, shared),
      )
      const names = type.members.map(({ name }) => name)
      return structOf(names, names, children, { definition, nullDefinition, convert }, shared)
    }
    case 'array': {
      const repetition = around.repetition + 1
      const list = { ...inside('list', 'element'), definition: definition + 1, repetition }
      const element = nodeOf(type.element, list, `${place}[]`, shared)
      return { kind: 'array', element, repetition, definition, nullDefinition, convert, leaves: element.leaves }
    }
    case 'map': {
      const repetition = around.repetition + 1
      const pair = (name: string): Around => ({ ...inside('key_value', name), definition: definition + 1, repetition })
      const key = nodeOf(type.key, pair('key'), `${place}.keys`, shared, true)
      const value = nodeOf(type.value, pair('value'), `${place}[]`, shared)
      const leaves = [...key.leaves, ...value.leaves]
      return { kind: 'map', key, value, repetition, definition, nullDefinition, convert, leaves }
    }
    default:
      return leafOf(type, around, { definition, nullDefinition, convert })
  }
}

function leafOf(type: LeafType, around: Around, facts: Omit<NodeFacts, 'leaves'>): LeafNode {
  const levels = { definition: facts.definition, repetition: around.repetition }
  const leaf = new Leaf(type, around.path, levels, facts.convert)
  return { kind: 'leaf', leaf, ...facts, leaves: [leaf] }
}

function structOf(
  names: readonly string[],
  keys: readonly string[],
  children: readonly ColumnNode[],
  facts: Omit<NodeFacts, 'leaves'>,
  { rules }: Shared,
): StructNode {
  return {
    kind: 'struct',
    names,
    keys: keys.map((key) => Buffer.from(JSON.stringify(key).slice(1))),
    places: new KeyNames(keys, rules),
    children,
    seen: new Uint32Array(children.length),
    ...facts,
    leaves: children.flatMap(({ leaves }) => leaves),
  }
}

/** Notes that nothing is defined below a node from a level on. */
export function addMissing({ leaves }: ColumnNode, definition: number, repetition: number): void {
  for (const leaf of leaves) leaf.level(definition, repetition)
}
