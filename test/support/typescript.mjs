// Has Node load TypeScript as it is written, in the threads of tests too, which the command of tsx leaves out.
import { register } from 'tsx/esm/api'

register()
