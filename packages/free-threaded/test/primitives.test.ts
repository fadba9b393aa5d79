import { Barrier, Condition, Latch, Mutex, Once, RwLock, Semaphore, Signal } from '@flatshare/sync'
import { expect, test } from 'vitest'
import { startThread } from './thread.js'
import { adopted, Holder } from './value-classes.js'

const make: Record<string, () => object> = {
  mutex: () => new Mutex({ name: 'm' }),
  rwlock: () => new RwLock({ name: 'r' }),
  semaphore: () => new Semaphore(2),
  condition: () => new Condition(),
  signal: () => new Signal(),
  barrier: () => new Barrier(2),
  latch: () => new Latch(1),
  once: () => new Once(),
}

test.each(Object.entries(make))('%s: itself, or null', (key, made) => {
  const holder = adopted(new Holder()) as any
  const primitive = made()
  holder[key] = primitive
  expect(holder[key]).toBe(primitive)
  for (const [other, makeOther] of Object.entries(make)) {
    if (other === key) continue
    expect(() => {
      holder[key] = makeOther()
    }).toThrow(
      `Holder.${key} is shared as lock ${key} and takes a ${key} of @flatshare/sync, or null, not an object of`,
    )
  }
  expect(holder[key]).toBe(primitive)
  holder[key] = null
  expect(holder[key]).toBeNull()
})

test('what one thread locks is locked for the other', async () => {
  const thread = startThread('./threads/values.js')
  const holder = new Holder()
  expect(await thread.run('lockHeld', holder)).toEqual([true, 'held', true])
  expect(holder.mutex!.tryLock()).toBeUndefined()
  await thread.worker.terminate()
})

test('a signal that another thread sets', async () => {
  const thread = startThread('./threads/values.js')
  const holder = new Holder()
  const signal = new Signal()
  holder.signal = signal
  const waited = signal.wait()
  await thread.run('set', holder)
  await waited
})
