import { workerData } from 'node:worker_threads'
import { add } from '../work.js'
import { ADD, ANSWER, CALL_BACK, Ring } from './ring.js'

const [there, back] = (workerData as [SharedArrayBuffer, SharedArrayBuffer]).map((memory) => new Ring(memory)) as [
  Ring,
  Ring,
]

for (;;) {
  while (there.read()) {
    const { kind, id, x, y } = there
    if (kind === ADD) back.write(ANSWER, id, add(x, y), 0)
    else back.write(kind === CALL_BACK ? CALL_BACK : ANSWER, id, x, 0) // asks the caller, or passes on what it said
  }
  if (!there.spin()) there.sleep()
}
