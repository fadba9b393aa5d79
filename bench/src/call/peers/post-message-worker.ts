import { parentPort } from 'node:worker_threads'
import { add, Counter, echo } from '../work.js'
import type { What } from './post-message.js'

const parent = parentPort!
const made = new Map<number, Counter>()

parent.on('message', ([id, what, x, y]: [number, What, any, any]) => {
  switch (what) {
    case 'add':
      return parent.postMessage([id, what, add(x, y)])
    case 'echo':
      return parent.postMessage([id, what, echo(x)])
    case 'move':
      return parent.postMessage([id, what, x], [x.buffer])
    case 'call back': // goes back as a question, and 'heard' is what the listener says
    case 'heard':
      return parent.postMessage([id, what, x])
    case 'create':
      made.set(id, new Counter(x))
      return parent.postMessage([id, what, id])
    case 'forget':
      return made.delete(id)
  }
})
