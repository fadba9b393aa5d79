import { MessageChannel } from 'node:worker_threads'
import { serve } from '@flatshare/apartment'
import { marshal } from '@flatshare/core'
import { describe, expect, it } from 'vitest'
import {
  ANSWER,
  CALL,
  CANCEL,
  caller,
  FAILURE,
  HELLO,
  haveStrangers,
  home,
  LINK,
  LOST,
  livingId,
  newId,
  ports,
} from './strangers.js'
import { expectUnharmed, garbageIsSurvived, garbageSettlesCalls } from './wire-fuzz.js'

haveStrangers()

describe('a peer that sends garbage', () => {
  it('gets errors or nothing, and is still served', () => garbageIsSurvived(10_000), 120_000)

  it('as the answer to a call settles that call', () => garbageSettlesCalls(5_000), 120_000)

  it('at the door is told so, and harms nobody', async () => {
    const { port1, port2 } = new MessageChannel()
    ports.push(port1, port2)
    serve({ ping: () => 1 }, port1)
    const [packet, list] = marshal({ nothing: 1 })
    const said: any[] = []
    const done = new Promise<void>((resolve) => {
      port2.on('message', (reply) => {
        said.push(reply)
        if (said.filter(({ flatshare }) => flatshare === 'failed').length === 4) resolve()
      })
    })
    for (const garbage of [null, 1, 'x', [], {}, { flatshare: '__proto__' }, { flatshare: {} }])
      port2.postMessage(garbage)
    for (const each of [undefined, 1, {}]) port2.postMessage({ flatshare: 'connect', packet: each })
    port2.postMessage({ flatshare: 'connect', packet }, list)
    port2.postMessage({ flatshare: 'failed', packet: { x: 1 } })
    await done
    expect(said.filter(({ flatshare }) => flatshare === 'failed').map((failed) => typeof failed.message)).toEqual(
      new Array(4).fill('string'),
    )
  })
})

describe('a call that is none', () => {
  it.each([
    ['arguments that are no list', [0, 'call', 'ping', undefined, { length: 1e9 }]],
    ['another way to call', [0, 'eval', 'ping', undefined, []]],
    ['a member that is no name', [0, 'call', { toString: 'ping' }, undefined, []]],
    ['references that are none', [0, 'call', 'ping', undefined, [], [[1, 2, 3]]]],
    ['an object that is no number', ['0', 'call', 'ping', undefined, []]],
    ['a deadline that is no time', [0, 'call', 'ping', undefined, [], undefined, 'soon']],
  ])('by %s is refused', async (_, [target, how, member, , args, references, deadline]) => {
    const stranger = await caller()
    const id = newId()
    stranger.send([CALL, target, how, member, [id], args, references, deadline])
    const [kind, , , [error]] = await stranger.answer(id)
    expect(kind).toBe(FAILURE)
    expect(error[2]).toMatchObject({ name: 'TypeError', message: expect.stringMatching(/that is none there/) })
  })

  it('that repeats another is dropped: the first goes on', async () => {
    const stranger = await caller()
    const id = newId()
    stranger.send([CALL, 0, 'call', 'hang', [id], [], undefined])
    stranger.send([CALL, 0, 'call', 'ping', [id], ['again'], undefined])
    let answered = false
    void stranger.answer(id).then(() => {
      answered = true
    })
    expect(await stranger.call('ping', [1])).toEqual([ANSWER, 1])
    expect(answered).toBe(false)
  })

  it.each(['__proto__', 'constructor', 'then', 'toString', 'hasOwnProperty', 'nothing', '[Symbol.asyncDispose]'])(
    'of %s reaches nothing, by any way',
    async (member) => {
      const stranger = await caller()
      const given = await stranger.given()
      for (const target of [0, given]) {
        for (const how of ['call', 'get', 'set', 'create', 'apply']) {
          const id = newId()
          stranger.send([CALL, target, how, member, [id], [{ x: 1 }], undefined])
          const [kind] = await stranger.answer(id)
          expect(kind).toBe(FAILURE)
        }
      }
      expectUnharmed()
    },
  )
})

describe('what costs its sender little', () => {
  it('costs its receiver little: lists that are long and empty', async () => {
    const stranger = await caller()
    const long = new Array(2 ** 32 - 1)
    const batch = new Array(2 ** 32 - 1)
    batch[0] = [CALL, 0, 'call', 'ping', [1], [], undefined]
    stranger.send(batch)
    stranger.send([LOST, long, true])
    stranger.send([CALL, 0, 'call', 'ping', long, [], undefined])
    stranger.send([CALL, 0, 'call', 'ping', [newId()], [], long])
    stranger.send([ANSWER, 1, 1, long])
    stranger.send([CANCEL, 1, false, 1, long])
    const id = newId()
    stranger.send([CALL, 0, 'call', 'ping', [id], long, undefined])
    expect((await stranger.answer(id))[0]).toBe(FAILURE)
    expect(await stranger.call('ping', [1])).toEqual([ANSWER, 1])
  })

  it('deep and circular values end in an answer', async () => {
    const stranger = await caller()
    const deep: { in?: object } = {}
    for (let at: { in?: object } = deep, i = 0; i < 1000; i++) at = at.in = {}
    const circle: Record<string, unknown> = {}
    circle['self'] = [circle, new Map([[circle, circle]])]
    expect((await stranger.call('ping', [deep]))[0]).toBe(ANSWER)
    expect((await stranger.call('ping', [circle]))[0]).toBe(ANSWER)
    const id = newId()
    // References, so that the arguments are walked.
    stranger.send([CALL, 0, 'call', 'ping', [id], [deep, circle], [[{}, 'error', { classes: [], own: circle }]]])
    expect([ANSWER, FAILURE]).toContain((await stranger.answer(id))[0])
  })

  it('a port that is none, or of nobody, is no link', async () => {
    const stranger = await caller()
    const given = await stranger.given()
    const { port1, port2 } = new MessageChannel()
    ports.push(port2)
    for (const port of [undefined, null, {}, 1]) stranger.send([LINK, given, port])
    stranger.send([LINK, 'x', port1], [port1])
    expect(await stranger.call('ping', [1])).toEqual([ANSWER, 1])
  })
})

it('nobody turns into another thread, and no name is taken over', async () => {
  const stranger = await caller()
  stranger.send([HELLO, livingId + 1, 'somebody else', [-1, 'served', ['__proto__', 'then'], []]])
  stranger.send([HELLO, 0, 'x'])
  stranger.send([HELLO, 'x', 'x'])
  expect(await stranger.call('ping', [1])).toEqual([ANSWER, 1])
})

it('a home that says it has "then", "constructor" and "__proto__" has none of them', async () => {
  const { stranger, api } = await home()
  stranger.onCall = ([, , , , path]) => {
    const placeholder = {}
    const names = ['then', 'constructor', '__proto__', 'toString', 'toJSON', 'fine', 'fine']
    const about = [77, 'Evil', names, names, names, names]
    const body = { home: livingId, id: 5, about }
    stranger.send([ANSWER, path[path.length - 1], placeholder, [[placeholder, 'reference', body]]])
  }
  const evil = await api.ask()
  expect(String(evil)).toBe('Remote<Evil> { home: "stranger", connected }')
  expect([evil.then, evil.constructor, evil.__proto__]).toEqual([undefined, undefined, undefined])
  expect(typeof evil.fine).toBe('function')
  expectUnharmed()
})
