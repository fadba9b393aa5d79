import { add, echo } from '../../call/work.js'
import { bytesOf, textOf, type What } from './process-send.js'

process.on('message', ([id, what, x, y]: [number, What, any, any]) => {
  switch (what) {
    case 'add':
      return process.send!([id, what, add(x, y)])
    case 'echo':
      return process.send!([id, what, echo(x)])
    case 'echo bytes':
      return process.send!([id, what, textOf(echo(bytesOf(x)))])
  }
})
