import { MessageChannel, Worker } from 'node:worker_threads'
import { connect } from '@flatshare/apartment'
import { DisconnectedError } from '@flatshare/core'
import { describe, expect, it } from 'vitest'

const caught = (promise: Promise<unknown>): Promise<any> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a port that closes', () => {
  it('rejects a connect that waits on it', async () => {
    const { port1, port2 } = new MessageChannel()
    const error = caught(connect(port1))
    port2.close()
    expect((await error).message).toBe('The other thread ended before it began to serve.')
  })
})

describe('a worker of somebody else', () => {
  it('that dies while it is connected rejects with its error, which stays its owner’s to handle', async () => {
    const worker = new Worker(new URL('./threads/serving.js', import.meta.url))
    const seen = new Promise((resolve) => worker.once('error', resolve))
    const api = await connect<{ fail(): Promise<void> }>(worker)
    const error = await caught(api.fail())
    expect(error).toBeInstanceOf(DisconnectedError)
    expect(error.cause).toMatchObject({ message: 'failed on purpose' })
    expect(await seen).toMatchObject({ message: 'failed on purpose' })
  })
})
