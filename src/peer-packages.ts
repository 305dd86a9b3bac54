/** Packages that users install beside ours only if they need them. Bundlers would fail where one is not installed: they see no names here. */

/** Imports a package. */
export function importPeer(name: string) {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}

/** Throws where a package is not installed. In a bundle in CommonJS, which cannot ask, only its import does. */
export function resolvePeer(name: string): unknown {
  return import.meta.resolve?.(name)
}
