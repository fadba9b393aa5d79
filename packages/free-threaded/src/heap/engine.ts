/** The heap over the arena: one of each part for a thread. */
import { onThreadExitInternal, type ThreadId } from '@flatshare/core/internal'
import { makeCollector } from './collect.js'
import { Control, makeControl } from './control.js'
import { makeCrossings } from './crossings.js'
import { sharedHeapMemory as memory } from './heap-memory.js'
import { kindOf } from './kinds.js'
import { makeLedger } from './ledger.js'
import { makeObjects } from './objects.js'
import { makePages } from './pages.js'
import { makeSections } from './sections.js'
import { makeStatistics } from './statistics.js'
import { makeTypes } from './types.js'

/** How long a packet for anybody is kept after its maker has ended: its message may lie before a busy thread. */
const PACKET_GRACE_MS = 5000
/** The heap grows by so much at least before it is collected again. */
const LEAST_GROWTH = (4 * 1024 * 1024) >> 4

const control = makeControl(memory)
export const pages = makePages(memory, control, collectWhenDoubled)
export const sections = makeSections(memory, control)
export const ledger = makeLedger(memory, sections)
export const crossings = makeCrossings(memory, control)
export const types = makeTypes(memory, control)
export const objects = makeObjects(memory, pages, types, (kind) => kindOf(kind)?.owned)
const collectAlone = makeCollector(memory, control, pages, sections, ledger, crossings, types, objects)
export const statistics = makeStatistics(memory, control, pages, () => {
  let count = 0
  sections.enter()
  control.enter()
  for (const _ of crossings.objects()) count++
  control.leave()
  sections.leave()
  return count
})

sections.mendBy(() => void sections.alone(collectAlone))

function collectWhenDoubled(): void {
  const grown = memory.load(control.at() + Control.grown)
  const before = memory.load(control.at() + Control.grownAtCollection)
  if (grown - before > Math.max(before, LEAST_GROWTH)) sections.want(collect)
}

/** Drops what threads that have ended left. */
export function reap(): void {
  if (memory.deaths() === 0) return
  ledger.dropDead(objects.release)
  sections.enter()
  try {
    crossings.endDead(isOver, objects.release)
  } finally {
    sections.leave()
  }
}

/** When this thread first found a maker of packets ended. */
const ends = new Map<ThreadId, number>()

function isOver(maker: ThreadId): boolean {
  if (memory.isAlive(maker)) return false
  const end = ends.get(maker) ?? performance.now()
  ends.set(maker, end)
  return performance.now() - end >= PACKET_GRACE_MS
}

/** Collects, or waits for another thread that does. Gives how many objects were freed here. Outside of sections. */
export function collect(): number {
  reap()
  let freed = 0
  sections.alone(() => {
    freed = collectAlone()
  })
  return freed
}

onThreadExitInternal(({ id }) => {
  ends.set(id, performance.now())
  reap()
})
