/** Values for the codec's tests, whatever carries the bytes. */
import fc from 'fast-check'

/** What crosses as structured clone would bring it. */
export const values: Record<string, unknown[]> = {
  nothing: [undefined, null],
  booleans: [true, false],
  integers: [0, 1, -1, 63, 64, -64, 127, 128, 16383, 16384, 0x7fffffff, -0x80000000, 0x80000000, 0xffffffff],
  'other numbers': [-0, Number.NaN, Infinity, -Infinity, 0.1, 5e-324, 1.7976931348623157e308, 2 ** 53, -(2 ** 40)],
  bigints: [0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 3n ** 999n, -(7n ** 500n)],
  strings: ['', 'a', 'é'.repeat(40), 'aé', 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(256), 'x'.repeat(257)],
  'wide strings': ['文', '\ud800', 'x\udc00y', '🏠', `${'a'.repeat(30)}文`, '\ufeff', '\0', 'ÿ'.repeat(300)],
  'long strings': ['a'.repeat(100_000), 'ÿ'.repeat(10_001), '文'.repeat(10_001), `${'a'.repeat(5000)}\ud800`],
  dates: [new Date(0), new Date(Number.NaN), new Date(-1.5e12)],
  'regular expressions': [/a/, /[/\n]é/dgimsuy, /(?:)/, Object.assign(/a/g, { lastIndex: 3 })],
  'boxed values': [Object(1), Object(-0), Object('ab'), Object(true), Object(false), Object(5n)],
  arrays: [[], [1, [2, [3]]], Array.from({ length: 500 }, (_, i) => i), [undefined, null]],
  'holes in arrays': [
    new Array(3),
    new Array(5000),
    // biome-ignore lint/suspicious/noSparseArray: holes are the point.
    [, 1, , 2],
    Object.assign(new Array(100), { 99: 1 }),
    Object.assign([], { 4294967294: 'last' }),
  ],
  'arrays with members': [Object.assign([1, 2], { extra: true, '-1': 0, '01': 0 }), 'ab'.match(/(?<x>a)/)],
  objects: [{}, { a: undefined }, { 1: 'one', b: 'two', '': 'none' }, { 'a key': 1, 文: 2, '\ud800': 3 }],
  'large objects': [
    Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`k${i}`, i])),
    Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`k${i}`, i])),
    Object.fromEntries(Array.from({ length: 255 }, (_, i) => [`k${i}`, i])),
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, i])),
    { ['long'.repeat(100)]: 1, ['longer'.repeat(10_000)]: 2 },
  ],
  'objects of a class': [
    new (class Point {
      x = 1
      #y = 2
      sum() {
        return this.x + this.#y
      }
    })(),
    Object.create({ inherited: 1 }),
  ],
  'objects that only look like others': [
    Object.create(Map.prototype),
    new (class {
      get [Symbol.toStringTag]() {
        return 'Zed'
      }
      x = 1
    })(),
    new (class {
      get [Symbol.toStringTag]() {
        return 'Date'
      }
      x = 1
    })(),
    { [Symbol.toStringTag]: 'Set', y: 2 },
    new (class Registry extends Map<number, number> {
      override get [Symbol.toStringTag]() {
        return 'Registry'
      }
    })([[1, 2]]),
  ],
  maps: [
    new Map(),
    new Map<unknown, unknown>([
      [{ a: 1 }, new Map([[Number.NaN, -0]])],
      ['k', undefined],
    ]),
  ],
  sets: [new Set(), new Set<unknown>([1, 'a', new Set([[]])])],
  buffers: [new ArrayBuffer(0), new Uint8Array([1, 2, 3]).buffer],
  views: [
    new Uint8Array([1, 2]),
    new Int8Array([-1]),
    new Uint8ClampedArray([255]),
    new Int16Array([-2]),
    new Uint16Array([65535]),
    new Int32Array([-3]),
    new Uint32Array([4]),
    new Float32Array([0.5]),
    new Float64Array([-0, Number.NaN, 1e300]),
    new BigInt64Array([-5n]),
    new BigUint64Array([6n]),
    new DataView(new ArrayBuffer(9), 2, 5),
    new Uint16Array(new ArrayBuffer(12), 4, 3),
    // Where the runtime has it.
    ...['Float16Array'].flatMap((name) => (name in globalThis ? [new (globalThis as any)[name]([0.5])] : [])),
  ],
}

/** Anything that structured clone knows. */
export const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
  maxDepth: 4,
  maxKeys: 8,
})

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 700 }))
const lone = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))
/** Objects with any strings as keys and members. */
const table = fc.dictionary(fc.oneof(text, lone), fc.oneof(text, lone))
export const tables = fc.array(table, { maxLength: 40 })

const { port1, port2 } = new MessageChannel()
port1.close()
port2.close()
const transferred = new ArrayBuffer(4)
structuredClone(transferred, { transfer: [transferred] })
/** What has no bytes, and what is said about it. */
export const refused: Array<[unknown, RegExp]> = [
  [Symbol('s'), /contains a symbol/],
  [Object(Symbol('s')), /contains a symbol/],
  [function work() {}, /contains the function work/],
  [() => {}, /contains the function/],
  [new SharedArrayBuffer(8), /contains a SharedArrayBuffer/],
  [new Uint8Array(new SharedArrayBuffer(8)), /contains a view of a SharedArrayBuffer/],
  [port1, /contains a MessagePort/],
  [new WeakMap(), /contains a WeakMap/],
  [new WeakSet(), /contains a WeakSet/],
  [new WeakRef({}), /contains a WeakRef/],
  [Promise.resolve(), /contains a Promise/],
  [new ReadableStream(), /contains a ReadableStream/],
  [new Blob([]), /contains a Blob/],
  [(function* () {})(), /contains a Generator/],
  [new Map().keys(), /contains an? .*Iterator/],
  [transferred, /contains an ArrayBuffer that was transferred/],
]
