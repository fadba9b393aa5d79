import { closeSync, openSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { addressFor, addressing, takeParentAddress } from '../dist/parent-address.js'

afterEach(() => {
  delete process.env.FLATSHARE_LINK
})

describe('the address of the parent', () => {
  it('is told to what is started meanwhile, and to nothing else', () => {
    expect(addressing(() => process.env.FLATSHARE_LINK)).toBe(`${process.pid}:auto`)
    expect(process.env.FLATSHARE_LINK).toBeUndefined()
    process.env.FLATSHARE_LINK = 'mine'
    expect(() =>
      addressing(() => {
        throw new Error('not started')
      }),
    ).toThrow('not started')
    expect(process.env.FLATSHARE_LINK).toBe('mine')
  })

  it("isn't taken where it was meant for another process, or leads to no channel", () => {
    process.env.FLATSHARE_LINK = `${process.ppid + 1}:auto`
    expect(takeParentAddress()).toBeUndefined()
    const file = openSync('/dev/null', 'r')
    Object.assign(process.env, addressFor(file))
    expect(takeParentAddress()).toBeUndefined()
    closeSync(file)
    process.env.FLATSHARE_LINK = '1:nowhere'
    expect(takeParentAddress()).toBeUndefined()
  })

  it('is taken out of the environment, so that nobody takes it again', () => {
    process.env.FLATSHARE_LINK = `${process.ppid}:auto`
    expect(process.channel ? takeParentAddress() : 'ipc').toBe('ipc')
    expect(takeParentAddress()).toBeUndefined()
  })
})
