/**
 * A way of a rival, loaded when it runs: in the processes of the others it would take memory and time.
 *
 * @param {string} file - The name of a file in `rivals`.
 * @param {string} way - A function that it exports.
 */
export function rival(file, way) {
  return async (...input) => {
    const { [way]: run } = await import(`../rivals/${file}.js`)
    return run(...input)
  }
}
