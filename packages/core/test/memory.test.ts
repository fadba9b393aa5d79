import { allocate, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, views } from '@flatshare/core/internal'
import { describe, expect, it } from 'vitest'

describe('the views as an object', () => {
  it('are the exported ones, also after the arena has grown, for code that was compiled before', () => {
    const cell = allocate(16) >> 2
    const memory = views
    const raise = () => (memory.i32[cell]! += 1)
    for (let i = 0; i < 20_000; i++) raise()
    let raised = 20_000
    for (let bytes = u8.length; bytes < 1 << 24; bytes *= 2) {
      const last = allocate(bytes) + bytes - 1
      views.u8[last] = 7
      expect(u8[last]).toBe(7)
      raise()
      raised++
    }
    expect(i32[cell]).toBe(raised)
    const exported = { i8, u8, i16, u16, i32, u32, i64, u64, f32, f64 }
    for (const name of Object.keys(exported) as (keyof typeof exported)[]) {
      expect([name, views[name] === exported[name]]).toEqual([name, true])
    }
  })
})
