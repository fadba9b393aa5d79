import * as adviseSink from '@flatshare/advise-sink'
import * as apartment from '@flatshare/apartment'
import * as core from '@flatshare/core'
import * as freeThreaded from '@flatshare/free-threaded'
import * as ownProcess from '@flatshare/process'
import * as progress from '@flatshare/progress'
import * as progressTerminal from '@flatshare/progress/terminal'
import * as sync from '@flatshare/sync'
import * as threadAware from '@flatshare/thread-aware'
import * as flatshare from 'flatshare'
import * as processes from 'flatshare/process'
import * as terminal from 'flatshare/terminal'
import { describe, expect, it } from 'vitest'

const parts = { adviseSink, apartment, core, freeThreaded, progress, sync, threadAware }

describe('flatshare', () => {
  it.each(Object.entries(parts))('has every name of %s', (_name, part) => {
    expect(Object.keys(part).length).toBeGreaterThan(0)
    // A name that two parts gave to different things would be missing here.
    expect(flatshare).toMatchObject(part)
  })

  it('has nothing of its own', () => {
    const names = new Set(Object.values(parts).flatMap((part) => Object.keys(part)))
    expect(new Set(Object.keys(flatshare))).toEqual(names)
  })

  it('has the bars apart, as a page has no use for them', () => {
    expect({ ...terminal }).toEqual({ ...progressTerminal })
  })

  it('has other processes apart, as a page has none', () => {
    expect({ ...processes }).toEqual({ ...ownProcess })
    expect(Object.keys(processes)).toContain('childProcess')
  })
})
