import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { currentThread, marshal } from '@flatshare/core'
import { drainLines, introduce, isAlive, onIntroduction, receiveNow, settleExits } from '@flatshare/core/internal'
import { afterEach, describe, expect, it } from 'vitest'

const workers: Worker[] = []
afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.terminate())))

const heard = (port: MessagePort | Worker) => new Promise<any>((resolve) => port.once('message', resolve))
const closed = (port: MessagePort) => new Promise<void>((resolve) => port.once('close', resolve))

async function start(late = false): Promise<{ worker: Worker; id: number }> {
  const [packet, transferList] = marshal({ late })
  const worker = new Worker(new URL('./threads/introduced.js', import.meta.url), { workerData: packet, transferList })
  workers.push(worker)
  return { worker, id: await heard(worker) }
}

/** Hands a port to the thread; gives the end that stays. */
function meet(id: number): MessagePort {
  const { port1, port2 } = new MessageChannel()
  introduce(id, port2)
  return port1
}

describe('an introduction', () => {
  it('hands over a port, and says from whom', async () => {
    const { id } = await start()
    const port = meet(id)
    expect(await heard(port)).toEqual({ from: currentThread.id, to: id })
    port.close()
  })

  it('is made once: a second port closes unused', async () => {
    const { id } = await start()
    const [first, second] = [meet(id), meet(id)]
    second.on('message', () => expect.unreachable())
    await closed(second)
    expect(await heard(first)).toEqual({ from: currentThread.id, to: id })
    first.close()
  })

  it('waits for whoever accepts it', async () => {
    const { worker, id } = await start(true)
    const port = meet(id)
    const answer = heard(port)
    await settleExits()
    worker.postMessage({ accept: true })
    expect(await answer).toEqual({ from: currentThread.id, to: id })
    port.close()
  })

  it('reaches a thread that blocks, when that looks', async () => {
    const { worker, id } = await start()
    const met: Array<{ from: number; port: MessagePort }> = []
    onIntroduction((from, port) => met.push({ from, port: port as MessagePort }))
    worker.postMessage({ meet: currentThread.id })
    // In one turn: nothing comes by the event loop.
    while (met.length === 0) drainLines()
    const [{ from, port }] = met as [(typeof met)[0]]
    expect(from).toBe(id)
    expect(receiveNow(port)).toEqual({ message: 'hello' })
    expect(met).toHaveLength(1)
    port.close()
  })

  it('to a thread that has ended closes the port, also where it ended blocked and unaccepting', async () => {
    const { worker, id } = await start()
    const memory = new SharedArrayBuffer(8)
    worker.postMessage({ block: memory })
    await (Atomics as any).waitAsync(new Int32Array(memory), 0, 0).value
    const pending = meet(id)
    pending.on('message', () => expect.unreachable())
    const refused = closed(pending)
    await settleExits()
    await worker.terminate()
    await refused
    while (isAlive(id)) await settleExits()
    await closed(meet(id).on('message', () => {}))
    await closed(meet(1000).on('message', () => {}))
  })
})
