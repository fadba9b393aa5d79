/** A program that must end by itself: what it does is its first argument. */
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { marshal } from '@flatshare/core'
import { mirroredProgress, mirrorProgress, Progress } from '@flatshare/progress'
import type { Job } from './reporter.js'

const progress = new Progress({ total: 10 })
process.on('exit', () => console.log('ended'))

function start(job: Job): Worker {
  const [workerData, transferList] = marshal({ progress, job })
  return new Worker(new URL('./reporter.js', import.meta.url), { workerData, transferList })
}

/** A port whose other end is closed, which nobody will be told of any more. */
async function halfClosed() {
  const { port1, port2 } = new MessageChannel()
  const closed = once(port2, 'close')
  port1.close()
  const stay = setInterval(() => {}, 1 << 30)
  await closed
  clearInterval(stay)
  return port2
}

async function watchToTheEnd(): Promise<void> {
  for await (const _ of progress.watch());
}

switch (process.argv[2]) {
  case 'its last reporter dies': {
    const worker = start({ do: 'never' })
    await once(worker, 'message')
    void watchToTheEnd()
    await worker.terminate()
    break
  }
  case 'the end was said by a thread that is gone':
    start({ do: 'advance', times: 10 }).unref()
    await watchToTheEnd()
    break
  case 'only the signal is used':
    progress.signal.addEventListener('abort', () => {})
    break
  case 'it is watched from a single thread':
    setTimeout(() => progress.done(), 1)
    await watchToTheEnd()
    break
  case 'it is mirrored over a port that was closed before':
    mirrorProgress(progress, await halfClosed())
    break
  case 'its mirror was to come over a port that was closed before':
    await mirroredProgress(await halfClosed()).catch((error: Error) => {
      if (error.name !== 'DisconnectedError') throw error
    })
    break
  case 'its mirror was disposed of':
    mirrorProgress(progress, new MessageChannel().port1)[Symbol.dispose]()
    break
  default:
    throw new Error(`no such program: ${process.argv[2]}`)
}
