import { addMissing, type ColumnNode } from './column-tree.ts'

/** Adds a value that was made to fit already to the columns below a node. */
export function addValue(node: ColumnNode, value: unknown, repetition: number): void {
  if (value === null || value === undefined) addMissing(node, node.nullDefinition, repetition)
  else if (node.kind === 'leaf') node.leaf.add(value, repetition)
  else if (node.kind === 'struct') {
    for (const [place, child] of node.children.entries()) {
      addValue(child, Reflect.get(Object(value), node.names[place] ?? ''), repetition)
    }
  } else if (!Array.isArray(value) || value.length === 0) addMissing(node, node.definition, repetition)
  else if (node.kind === 'array') {
    for (const [i, element] of value.entries()) addValue(node.element, element, i === 0 ? repetition : node.repetition)
  } else {
    for (const [i, pair] of value.entries()) {
      const level = i === 0 ? repetition : node.repetition
      addValue(node.key, pair.key, level)
      addValue(node.value, pair.value, level)
    }
  }
}
