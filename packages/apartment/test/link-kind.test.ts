import { MessageChannel, Worker } from 'node:worker_threads'
import { Apartment, ApartmentPool, attachTo, connect, type LinkKind } from '@flatshare/apartment'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { Counter, kindsOf } from './threads/posts.js'

type Posts = typeof import('./threads/posts.js')

const url = new URL('./threads/posts.js', import.meta.url)
const served = new URL('./threads/posts-served.js', import.meta.url)

describe.each(['shared', 'port'] as const)('link: %j', (link) => {
  it('of an apartment holds for calls and answers', async () => {
    await using apartment = await Apartment.open<Posts>(url, { link })
    const counter = await apartment.create('Counter')
    expect(await kindsOf(counter, apartment.remote)).toEqual([link, link])
    const own = new Counter()
    expect(await apartment.remote.kindsOf(own as never)).toEqual([link])
  })

  it('of an apartment holds for the links that it makes, to others and to what it opens', async () => {
    const [one, other] = await Promise.all([Apartment.open<Posts>(url, { link }), Apartment.open<Posts>(url, { link })])
    const counter = await other.create('Counter')
    expect(await one.remote.kindsOf(counter as never)).toEqual([link])
    expect(await one.remote.kindsOfNested()).toEqual([link])
    await Promise.all([one.close(), other.close()])
  })

  it('of a pool holds for its threads', async () => {
    await using pool = new ApartmentPool<Posts>(url, { size: 2, link })
    const counters = await Promise.all([pool.create('Counter'), pool.create('Counter')])
    for (const counter of counters) expect(await kindsOf(counter)).toEqual([link])
  })

  it('of attachTo and connect holds for that link alone', async () => {
    const worker = new Worker(served)
    const attached = await attachTo<Posts>(worker, { link })
    expect(await kindsOf(await attached.create('Counter'), attached.remote)).toEqual([link, link])
    const connected = await connect<Posts>(worker, { link })
    expect(await kindsOf({ hit: () => connected.posts() } as never, connected)).toEqual([link, link])
    const otherwise = link === 'port' ? 'shared' : 'port'
    const other = await connect<Posts>(worker, { link: otherwise })
    expect(await kindsOf({ hit: () => other.posts() } as never, other)).toEqual([otherwise, otherwise])
    await worker.terminate()
  })
})

it('link is by shared memory where nothing is said', async () => {
  await using apartment = await Apartment.open<Posts>(url)
  expect(await kindsOf(await apartment.create('Counter'), apartment.remote)).toEqual(['shared', 'shared'])
})

it('a link that is none is refused at once', async () => {
  const wrong = { link: 'ring' as LinkKind }
  const worker = new Worker(served)
  await expect(attachTo(worker, wrong)).rejects.toThrow(/^link is 'shared' or 'port'; this one is 'ring'\.$/)
  await expect(connect(new MessageChannel().port1, wrong)).rejects.toThrow(TypeError)
  await expect(connect(new MessageChannel().port1, { link: null as never })).rejects.toThrow(TypeError)
  expect(() => new ApartmentPool(url, wrong)).toThrow(TypeError)
  await worker.terminate()
  expectTypeOf<LinkKind>().toEqualTypeOf<'shared' | 'port'>()
  expectTypeOf<Parameters<typeof connect>[1] & {}>().toHaveProperty('link').toEqualTypeOf<LinkKind | undefined>()
})
