/**
 * A whole program whose threads die, again and again, while it awaits nothing but calls to them; none keeps it alive.
 * It ends each time by itself. How they die is its first argument, how often its second.
 */
import { Worker } from 'node:worker_threads'
import { Apartment, ApartmentPool, callWith } from '@flatshare/apartment'

type Deadly = typeof import('./deadly.js')

const module = new URL('./deadly.js', import.meta.url)
const [, , what, times] = process.argv
const outcomes = new Set<unknown>()
const note = ({ name }: Error): void => void outcomes.add(name)

const open = (): Promise<Apartment<Deadly>> => Apartment.open<Deadly>(module, { keepAlive: false })

const scenes: Record<string, () => Promise<void>> = {
  async 'an apartment exits'() {
    const { remote } = await open()
    await remote.exit().catch(note)
  },
  async 'an apartment throws'() {
    const { remote } = await open()
    await remote.throwLater().catch(note)
  },
  async 'an apartment is terminated'() {
    const apartment = await open()
    const pending = apartment.remote.never().catch(note)
    void apartment.terminate()
    await pending
  },
  async 'an apartment is ended for a call that was given up'() {
    const { remote } = await open()
    const pending = remote.never().catch(note)
    const controller = new AbortController()
    const settings = { signal: controller.signal, onAbort: 'terminate', graceTime: 0 } as const
    await callWith(remote, settings)
      .never(() => controller.abort())
      .catch(() => {})
    await pending
  },
  async 'an iteration is cut off'() {
    const { remote } = await open()
    try {
      for await (const _ of remote.countAndExit());
    } catch (error) {
      note(error as Error)
    }
  },
  async 'a worker of the program exits'() {
    const worker = new Worker(new URL('./deadly-worker.js', import.meta.url))
    worker.on('error', () => {})
    const { remote } = await Apartment.attachTo<Deadly>(worker)
    worker.unref()
    await remote.exitLater().catch(note)
  },
  async 'a pool that is given one call'() {
    const pool = await ApartmentPool.open<Deadly>(module, { max: 1, min: 0 })
    await pool.remote.exit().catch(note)
  },
  async 'a pool that has calls waiting'() {
    const pool = await ApartmentPool.open<Deadly>(module, { max: 1, min: 0 })
    const dying = pool.remote.exitLater().catch(note)
    outcomes.add((await Promise.all([dying, pool.remote.double(2), pool.remote.double(3)])).join())
  },
  /** The thread goes on with the call, and the pool with its question when that ends: nobody waits for either. */
  async 'a pool that has done with a call before its thread has'() {
    const pool = await ApartmentPool.open<Deadly>(module, { size: 1 })
    const deaf = await pool.replicate('Deaf')
    const controller = new AbortController()
    await callWith(deaf, { signal: controller.signal })
      .never(() => controller.abort())
      .catch(note)
  },
  async 'a pool that maps'() {
    const pool = await ApartmentPool.open<Deadly>(module, { max: 2 })
    const mapped = pool.map([1, 2, 3, 4], async (remote, x) => {
      if (x % 2 === 0) return remote.double(x)
      await remote.exit().catch(note)
      return 0
    })
    outcomes.add((await mapped).join())
  },
}

for (let i = 0; i < Number(times); i++) await scenes[what!]!()
console.log([...outcomes].join(' '))
