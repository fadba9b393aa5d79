/**
 * A table of cells that threads trade in: each takes what another has put there, checks that nobody has touched it, and
 * frees it. What it holds is only reachable by the table, so a collection must find it there.
 */
import { i32, reach, u8 } from '@flatshare/core/internal'
import {
  allocateValue,
  collectGarbage,
  enterHeap,
  freeValue,
  leaveHeap,
  makeBlock,
  objectAt,
  registerKind,
  registerType,
  release,
  retain,
  valueBytes,
} from '../../dist/heap/index.js'

export const CELLS = 64
const FIRST = 32
const VALUE = 32
const NEXT = 36

registerKind('shop', { attach: () => ({}) })

/** A table with cells for values, then as many for nodes. */
export const tableType = () =>
  registerType({
    kind: 'shop',
    name: 'table',
    layout: `${CELLS}`,
    module: '',
    bytes: FIRST + CELLS * 8,
    values: Array.from({ length: CELLS }, (_, i) => FIRST + i * 4),
    refs: Array.from({ length: CELLS }, (_, i) => FIRST + CELLS * 4 + i * 4),
    readers: [],
  })

const nodeType = () =>
  registerType({
    kind: 'shop',
    name: 'node',
    layout: '',
    module: '',
    bytes: 40,
    values: [VALUE],
    refs: [NEXT],
    readers: [],
  })

/** So that the same seed gives the same trades. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** A value whose bytes tell its address and its length. */
function makeValue(bytes: number): number {
  const address = allocateValue(bytes)
  reach(address + bytes)
  u8.fill((address >> 4) ^ bytes, address, address + bytes)
  i32[address >> 2] = bytes
  return address
}

function checkValue(address: number): void {
  const room = valueBytes(address)
  const bytes = i32[address >> 2]!
  if (bytes < 16 || bytes > room) throw new Error(`The value at ${address} says that it has ${bytes} of ${room} bytes.`)
  const expected = ((address >> 4) ^ bytes) & 0xff
  for (let i = address + 4; i < address + bytes; i++) {
    if (u8[i] !== expected) throw new Error(`Somebody wrote into the value at ${address}.`)
  }
}

/** Trades so many times; gives how often. */
export function trade(table: number, times: number, seed: number, stop?: Int32Array): number {
  const random = randomFrom(seed)
  let done = 0
  for (; done < times && !(stop && Atomics.load(stop, 0)); done++) {
    const cell = table + FIRST + random(CELLS) * 4
    if (random(20_000) === 0) collectGarbage()
    if (random(3) > 0) tradeValue(cell, random(40) === 0 ? 9000 + random(40_000) : 16 + random(900))
    else tradeNode(cell + CELLS * 4, random(4) === 0)
  }
  return done
}

function tradeValue(cell: number, bytes: number): void {
  enterHeap()
  try {
    const old = Atomics.exchange(i32, cell >> 2, makeValue(bytes))
    if (old === 0) return
    checkValue(old)
    freeValue(old)
  } finally {
    leaveHeap()
  }
}

/** Puts a node there, which may refer to itself; drops what was there. */
function tradeNode(cell: number, toItself: boolean): void {
  const handle = {}
  const node = makeBlock(handle, nodeType())
  enterHeap()
  try {
    i32[(node + VALUE) >> 2] = makeValue(64)
    if (toItself) {
      retain(node)
      i32[(node + NEXT) >> 2] = node
    }
    retain(node)
    const old = Atomics.exchange(i32, cell >> 2, node)
    if (old === 0) return
    reach(old + 40)
    checkValue(i32[(old + VALUE) >> 2]!)
    release(old)
  } finally {
    leaveHeap()
  }
}

export const attach = objectAt
