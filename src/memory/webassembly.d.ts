/** What of WebAssembly is used here; the types of Node do not have it, and those of browsers bring too much else. */
declare namespace WebAssembly {
  function validate(bytes: Uint8Array): boolean

  class Module {
    constructor(bytes: Uint8Array)
  }

  class Memory {
    readonly buffer: ArrayBuffer
    /** Sizes in pages of 65,536 bytes. */
    constructor(size: { readonly initial: number; readonly maximum: number })
  }

  class Instance {
    readonly exports: object
    constructor(module: Module, imports: { readonly env: { readonly memory: Memory } })
  }
}
