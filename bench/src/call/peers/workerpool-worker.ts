import { Transfer, worker } from 'workerpool'
import { add, echo } from '../work.js'

worker({ add, echo, move: (bytes: Uint8Array<ArrayBuffer>) => new Transfer(bytes, [bytes.buffer]) })
