export {
  type MemoryDestination,
  type MemoryFault,
  type MemoryObject,
  type MemoryOptions,
  type MemoryRefusal,
  memory,
} from './memory.ts'
