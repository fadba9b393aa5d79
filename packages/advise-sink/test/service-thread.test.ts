import { spawnSync } from 'node:child_process'
import { AdviseSource } from '@flatshare/advise-sink'
import { currentThread, initialize, onThreadExit } from '@flatshare/core'
import { describe, expect, it } from 'vitest'
import { gate, openStores } from './stores.js'

const named = (name: string) => new URL(`./threads/module-sink.js#${name}`, import.meta.url)

interface Events {
  carrying: { call: (x: any) => unknown }
}

const newSource = () => new AdviseSource<Events>({ events: ['carrying'] })

/** Which thread is notified. */
async function notified(source: AdviseSource<Events>): Promise<[id: number, name: string]> {
  const heard = gate<[number, string]>()
  source.raise('carrying', { call: heard.open })
  return heard.opened
}

describe('S27 a sink that is named by its module', () => {
  it.each(['onNotify', 'sink'])('%s runs on the first thread unless somebody says otherwise', async (name) => {
    const source = newSource()
    await using _connection = source.advise('carrying', named(name))
    expect(await notified(source)).toEqual([currentThread.id, currentThread.name])
  })

  it('is named by another thread as well', async () => {
    const home = await openStores('home')
    const store = await home.create('Store')
    const heard = gate<unknown>()
    const connection = await store.advise('carrying', named('onNotify'))
    await store.carryTo(heard.open)
    expect(await heard.opened).toEqual([currentThread.id, currentThread.name])
    await connection.unadvise()
    await home.close()
  })

  it('is reported where there is none', async () => {
    const source = newSource()
    const failed = gate<unknown>()
    await using _none = source.advise('carrying', named('noSink'), { onError: failed.open })
    source.raise('carrying', { call: () => {} })
    expect(await failed.opened).toMatchObject({
      message: expect.stringMatching(/exports no sink "noSink".*It exports die, failLater, onNotify, sink/) as string,
    })
    expect(() => source.advise('carrying', new URL('./module-sink.js', import.meta.url))).toThrow(/add its export/)
  })
})

describe('S27 (c) the service thread', () => {
  it('is one for all sources and threads, and ends with the last release; then another may come', async () => {
    const threads: number[] = []
    for (let i = 0; i < 2; i++) {
      const ended = gate<number>()
      using _watching = onThreadExit(({ id }) => ended.open(id))
      const flatshare = initialize({ notifications: 'service-thread' })
      const [one, two] = [newSource(), newSource()]
      const connections = [one.advise('carrying', named('onNotify')), two.advise('carrying', named('sink'))]
      const [first, second] = await Promise.all([notified(one), notified(two)])
      expect(first).toEqual([expect.any(Number), 'notifications'])
      expect(second).toEqual(first)
      threads.push(first[0])
      await Promise.all(connections.map((connection) => connection.unadvise()))
      await flatshare.release()
      expect(await ended.opened).toBe(first[0])
    }
    expect(new Set([...threads, currentThread.id]).size).toBe(3)
  })

  it('is started again when it has died', async () => {
    await using _flatshare = initialize({ notifications: 'service-thread' })
    const source = newSource()
    const dying = source.advise('carrying', named('die'), { onError: () => {} })
    const ended = gate()
    using _watching = onThreadExit(() => ended.open())
    const [first] = await notified(source)
    await ended.opened
    await dying.unadvise()
    await using _connection = source.advise('carrying', named('onNotify'))
    const [second] = await notified(source)
    expect(second).not.toBe(first)
  })

  it('that dies by what a sink left behind says so on the thread that started it', async () => {
    await using _flatshare = initialize({ notifications: 'service-thread' })
    const source = newSource()
    const warned = gate<Error>()
    const listener = (warning: Error) => {
      if (warning.message.includes('runs sinks')) warned.open(warning)
    }
    process.on('warning', listener)
    const connection = source.advise('carrying', named('failLater'), { onError: () => {} })
    await notified(source)
    expect((await warned.opened).message).toMatch(/"notifications".*has ended: RangeError: left behind/)
    process.off('warning', listener)
    await connection.unadvise()
  })

  it.each(['release', 'no release'])('keeps no process alive, with %s', (how) => {
    const program = new URL('./threads/program.js', import.meta.url)
    const { stdout, stderr, status } = spawnSync(process.execPath, [program.pathname, how], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect([stdout, stderr, status]).toEqual(['notifications\n', '', 0])
  })
})
