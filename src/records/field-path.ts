/**
 * The names on the way to a field: text with a dot between each two, in which `\.` is a dot in a name and `\\` a backslash.
 *
 * @returns `undefined` where a name is empty, or a backslash stands in front of something else.
 */
export function namesIn(path: string): readonly string[] | undefined {
  const names: string[] = []
  let name = ''
  for (let at = 0; at < path.length; at += 1) {
    const character = path.charAt(at)
    if (character === '.') {
      names.push(name)
      name = ''
    } else if (character === '\\') {
      const next = path.charAt(at + 1)
      if (next !== '.' && next !== '\\') return undefined
      name += next
      at += 1
    } else name += character
  }
  names.push(name)
  return names.includes('') ? undefined : names
}
