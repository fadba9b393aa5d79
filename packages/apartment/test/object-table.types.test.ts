import { objectTable, type Remote } from '@flatshare/apartment'
import { expectTypeOf, test } from 'vitest'
import type { Counter } from './threads/registering.js'

declare module '@flatshare/apartment' {
  interface ObjectTableNames {
    'typed counter': Counter
  }
}

/** Never called: what is of interest are the types. */
async function typed(counter: Counter, remote: Remote<Counter>): Promise<void> {
  objectTable.register('typed counter', counter)
  objectTable.register('typed counter', remote)
  // @ts-expect-error -- that is no counter
  objectTable.register('typed counter', { next: 'one' })
  objectTable.register('another name', { next: 'one' })
  // @ts-expect-error -- neither an object nor a function
  objectTable.register('another name', 'text')
  expectTypeOf(await objectTable.get('typed counter')).toEqualTypeOf<Remote<Counter>>()
  expectTypeOf(await objectTable.get<Remote<Counter>>('another name')).toEqualTypeOf<Remote<Counter>>()
  expectTypeOf(await objectTable.get('another name')).toEqualTypeOf<unknown>()
  // @ts-expect-error -- not yet awaited
  await objectTable.get('typed counter').next()
}

test('names give types', () => {
  expectTypeOf(typed).returns.resolves.toEqualTypeOf<void>()
})
