/** The blocks of memory: made, read at another thread, counted, and given back when nobody holds them. */
import { allocate, f64, free, i32, livingThreads, reach, threadsEnded, u16 } from '@flatshare/core/internal'
import { At } from './layout.js'

/** Makes a block with a label; its maker is its first holder. */
export function makeBlock(label: string): number {
  const bytes = At.label + label.length * 2
  const at = allocate(bytes)
  i32[(at + At.holders) >> 2] = 1
  i32[(at + At.bytes) >> 2] = bytes
  i32[(at + At.labelLength) >> 2] = label.length
  writeText(at + At.label, label)
  f64[(at + At.made) >> 3] = performance.timeOrigin + performance.now()
  return at
}

/** Makes sure that this thread sees a block that another one made. */
export function reachBlock(at: number): void {
  reach(at + At.label)
  reach(at + i32[(at + At.bytes) >> 2])
}

export function readLabel(at: number): string {
  return readText(at + At.label, i32[(at + At.labelLength) >> 2])
}

export function addHolder(at: number): void {
  Atomics.add(i32, (at + At.holders) >> 2, 1)
}

/** Lets go of a block; the last one gives it back, and lets go of its parent's. */
export function dropHolder(at: number): void {
  for (let node = at; node !== 0; ) {
    reachBlock(node)
    if (Atomics.sub(i32, (node + At.holders) >> 2, 1) > 1) return
    const parent = i32[(node + At.parent) >> 2]
    const reason = i32[(node + At.reason) >> 2]
    if (reason !== 0) freeText(reason)
    free(node, i32[(node + At.bytes) >> 2])
    node = parent
  }
}

/** Notes that another thread gets to hold it, and so may report to all above it. */
export function noteSent(at: number): void {
  const ended = threadsEnded() + 1
  for (let node = at; node !== 0; node = i32[(node + At.parent) >> 2]) Atomics.store(i32, (node + At.sent) >> 2, ended)
}

/** Whether another thread may report to it: one that lives, or one that is still to come up. */
export function mayHearFromOthers(at: number): boolean {
  return livingThreads().length > 1 || Atomics.load(i32, (at + At.sent) >> 2) > threadsEnded()
}

/** A text in a block of its own: its length, then its UTF-16 units. */
export function storeText(text: string): number {
  const at = allocate(4 + text.length * 2)
  i32[at >> 2] = text.length
  writeText(at + 4, text)
  return at
}

export function loadText(at: number): string {
  reach(at + 4)
  const length = i32[at >> 2]
  reach(at + 4 + length * 2)
  return readText(at + 4, length)
}

export function freeText(at: number): void {
  reach(at + 4)
  free(at, 4 + i32[at >> 2] * 2)
}

function writeText(at: number, text: string): void {
  for (let i = 0; i < text.length; i++) u16[(at >> 1) + i] = text.charCodeAt(i)
}

function readText(at: number, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += String.fromCharCode(u16[(at >> 1) + i])
  return text
}
