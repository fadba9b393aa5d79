import './web-worker-globals.js'
// @ts-expect-error it has no types of its own
import coincident from 'coincident/worker'
import { add, echo } from '../work.js'

// Its default, 0x7fff bytes, is no whole number of words: older engines refuse the view.
const { proxy } = await coincident({ minByteLength: 0x8000 })

proxy.addThere = add
proxy.echo = echo
proxy.callBack = (x: number) => proxy.heard(x)
proxy.timeBlocking = (times: number) => {
  const started = process.hrtime.bigint()
  for (let i = 0; i < times; i++) proxy.add(1, 2)
  return Number(process.hrtime.bigint() - started) / times
}
