/**
 * Works out where the fields of a class lie, and which locks guard them.
 *
 * A block is a header with the object's lock (`heap/block.ts`), then the fields of the outermost parent,
 * then those of each class below it, so that inherited accessors fit. Within a class the fields of the
 * main group come first, then those of each group that `@Guarded` names, behind a lock of its own if the
 * parents have none for it. Within a group the large alignments come first; among equals the name
 * decides, so that two threads agree however their copies of the class were compiled.
 */
import { FlatshareError } from '@flatshare/core'
import { type MemberNotes, ownMemberNotes } from '@flatshare/core/internal'
import { LOCK_BYTES } from '@flatshare/sync/internal'
import type { CellType } from './cells/cell-type.js'
import { cellTypeOf } from './cells/types.js'
import { addressReader } from './handle.js'
import { HEADER_BYTES, READERS, registerType, type TypeId } from './heap/index.js'
import {
  classesOf,
  type Group,
  label,
  type Shape,
  type ShapeOptions,
  type Slot,
  shapeOf,
  shapeOwnsAccessor,
} from './shape.js'

/** The most that one object takes; what is larger lies in blocks of its own. */
const MOST_BYTES = 8192

type Field = Omit<Slot, 'offset' | 'index' | 'group' | 'typeName'> & { readonly guarded: string }

/** Works out the shape of a class that is being decorated. `notes` are its own; parents have theirs by now. */
export function makeShape(
  Class: Function,
  name: string,
  notes: MemberNotes,
  callingModule: string,
  options: ShapeOptions = {},
): Shape {
  const prototype = Class.prototype as object
  const parent = shapeOf(Object.getPrototypeOf(prototype) as object)
  const { fields, groupNames, reading } = membersOf(Class, name, notes, parent)
  const slots = new Map(parent?.slots)
  const locks = new Map([...(parent?.groups.values() ?? [])].map((group) => [group.name, group.lockOffset]))
  locks.set('', 0)
  const placed = new Map<PropertyKey, { field: Field; offset: number }>()
  let end = parent?.bytes ?? HEADER_BYTES
  for (const group of [...groupNames].sort()) {
    // No word of scalars belongs to two groups: it is copied as a whole.
    end = aligned(end, 4)
    if (!locks.has(group)) {
      const lockOffset = aligned(end, 8)
      locks.set(group, lockOffset)
      end = lockOffset + LOCK_BYTES
    }
    const members = [...fields.values()].filter(({ guarded }) => guarded === group)
    for (const field of members.sort(byPlace)) {
      const inherited = slots.get(field.key)
      const offset = inherited?.offset ?? aligned(end, field.type.align)
      placed.set(field.key, { field, offset })
      if (!inherited) end = offset + field.type.bytes
    }
  }
  if (end > MOST_BYTES) {
    throw new FlatshareError(
      `The shared fields of ${name} take ${end} bytes, and an object takes at most ${MOST_BYTES}: keep some of them in ` +
        "a container, such as a SharedVector, or in one field of the type 'json' or 'bytes'.",
    )
  }
  const groups = makeGroups(locks, reading, parent, [
    ...[...slots.values()].map(({ type, offset, group }) => ({ type, offset, guarded: group.name })),
    ...[...placed.values()].map(({ field: { type, guarded }, offset }) => ({ type, offset, guarded })),
  ])
  for (const [key, { field, offset }] of placed) slots.set(key, makeSlot(field, offset, groups.get(field.guarded)!))
  // The same fields, under this class's groups and numbers.
  let index = 0
  for (const [key, slot] of slots) slots.set(key, withPlace(slot, index++, groups.get(slot.group.name)!))
  return new ClassShape(Class, name, parent, slots, groups, end, notes, callingModule, options)
}

const aligned = (offset: number, align: number): number => Math.ceil(offset / align) * align

const byPlace = (a: Field, b: Field): number =>
  b.type.align - a.type.align || b.type.bytes - a.type.bytes || (a.label < b.label ? -1 : 1)

function makeSlot({ key, label, type, backing }: Field, offset: number, group: Group): Slot {
  return new FieldSlot(key, label, type, offset, 0, group, backing)
}

const withPlace = ({ key, label, type, offset, backing }: Slot, index: number, group: Group): Slot =>
  new FieldSlot(key, label, type, offset, index, group, backing)

class FieldSlot implements Slot {
  constructor(
    readonly key: PropertyKey,
    readonly label: string,
    readonly type: CellType,
    readonly offset: number,
    readonly index: number,
    readonly group: Group,
    readonly backing: Slot['backing'],
  ) {}

  /** Late: a class that a field refers to may not be there yet when the field is declared. */
  get typeName(): string {
    return this.type.name
  }
}

class ClassShape implements Shape {
  readonly prototype: object
  readonly module: string
  readonly isLoadable: boolean
  readonly addressOf = addressReader()
  readonly onAbandoned: ((object: any) => void) | undefined
  #layout: string | undefined
  #perThread: Set<PropertyKey> | undefined
  #typeId: TypeId | undefined

  constructor(
    readonly Class: Function,
    readonly name: string,
    readonly parent: Shape | undefined,
    readonly slots: ReadonlyMap<PropertyKey, Slot>,
    readonly groups: ReadonlyMap<string, Group>,
    readonly bytes: number,
    readonly notes: MemberNotes,
    callingModule: string,
    { module, onAbandoned }: ShapeOptions,
  ) {
    this.prototype = Class.prototype as object
    this.module = module ?? callingModule
    this.isLoadable = module !== undefined
    this.onAbandoned = onAbandoned ?? parent?.onAbandoned
  }

  get layout(): string {
    return (this.#layout ??= layoutOf(this))
  }

  /** Late: a decorator above this one may still add to them. */
  get perThread(): ReadonlySet<PropertyKey> {
    return (this.#perThread ??= perThreadFields(this.Class, this.notes, this.parent))
  }

  typeId(): TypeId {
    return (this.#typeId ??= this.#register())
  }

  #register(): TypeId {
    const { name, layout, module, bytes } = this
    const slots = [...this.slots.values()]
    const owning = (what: CellType['owns']) =>
      slots.filter(({ type }) => type.owns === what).map(({ offset }) => offset)
    const reading = [...this.groups.values()].filter(({ hasReaders }) => hasReaders)
    const readers = reading.map(({ lockOffset }) => lockOffset + READERS)
    return registerType({
      kind: 'class',
      name,
      layout,
      module,
      autoload: this.isLoadable,
      bytes,
      refs: owning('ref'),
      values: owning('value'),
      readers,
    })
  }
}

function layoutOf({ slots, groups }: Shape): string {
  const parts = [...slots.values()]
    .sort((a, b) => a.offset - b.offset)
    .map(({ label, typeName, group }) => `${label}:${typeName}${group.name && `@${group.name}`}`)
  // Threads must agree on the locks as well.
  for (const { name, hasReaders } of groups.values()) if (hasReaders) parts.push(`@Reads(${name})`)
  return parts.join(', ')
}

interface Members {
  readonly fields: ReadonlyMap<PropertyKey, Field>
  readonly groupNames: ReadonlySet<string>
  /** Groups with members that are `@Reads`. */
  readonly reading: ReadonlySet<string>
}

/** What a class, and the undecorated ones above it, say of their members. */
function membersOf(Class: Function, name: string, notes: MemberNotes, parent: Shape | undefined): Members {
  const fields = new Map<PropertyKey, Field>()
  const groupNames = new Set([''])
  const reading = new Set<string>()
  // The lowest class last, so that what it says stands.
  for (const each of classesOf(Class).reverse()) {
    for (const [key, list] of each === Class ? notes : ownMemberNotes(each)) {
      const inherited = parent?.slots.get(key)
      const said = list.find(({ decorator }) => decorator === 'Guarded')?.['group'] as string | undefined
      const guarded = said ?? fields.get(key)?.guarded ?? inherited?.group.name ?? ''
      groupNames.add(guarded)
      if (inherited && guarded !== inherited.group.name) {
        throw new FlatshareError(
          `${name}.${label(key)} can't be guarded by '${guarded}': its class's parent has it under ` +
            `${inherited.group.name ? `'${inherited.group.name}'` : 'the main lock'}.`,
        )
      }
      const known = fields.get(key)
      if (known) fields.set(key, { ...known, guarded })
      for (const note of list) {
        if (note.decorator === 'Reads') reading.add(guarded)
        if (note.decorator !== 'Shared') continue
        const type = cellTypeOf(note['type'] as never, `${name}.${label(key)}`)
        const before = inherited?.type ?? fields.get(key)?.type
        if (before && !isSameType(before, type)) {
          throw new FlatshareError(
            `${name}.${label(key)} can't be shared as ${type.name}: it is shared as ${before.name} already.`,
          )
        }
        const backing = backingOf(each.prototype as object, key, name)
        if (!before || backing) fields.set(key, { key, label: label(key), type: before ?? type, backing, guarded })
      }
    }
  }
  return { fields, groupNames, reading }
}

/** References are compared when their classes are there: by the layout. */
function isSameType(a: CellType, b: CellType): boolean {
  return a === b || (a.owns === 'ref' ? b.owns === 'ref' : b.owns !== 'ref' && a.name === b.name)
}

function makeGroups(
  locks: ReadonlyMap<string, number>,
  reading: ReadonlySet<string>,
  parent: Shape | undefined,
  fields: readonly { readonly type: CellType; readonly offset: number; readonly guarded: string }[],
): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const [name, lockOffset] of locks) {
    const scalars = fields.filter(({ type, guarded }) => type.isScalar && guarded === name)
    const hasReaders = reading.has(name) || (parent?.groups.get(name)?.hasReaders ?? false)
    groups.set(name, { name, lockOffset, ranges: rangesOf(scalars), hasReaders })
  }
  return groups
}

function rangesOf(scalars: readonly { readonly type: CellType; readonly offset: number }[]): [number, number][] {
  const ranges: [number, number][] = []
  for (const { type, offset } of [...scalars].sort((a, b) => a.offset - b.offset)) {
    const from = offset & ~3
    const to = aligned(offset + type.bytes, 4)
    const last = ranges.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else ranges.push([from, to])
  }
  return ranges
}

function perThreadFields(Class: Function, notes: MemberNotes, parent: Shape | undefined): Set<PropertyKey> {
  const keys = new Set(parent?.perThread)
  const note = (all: MemberNotes) => {
    for (const [key, list] of all) if (list.some(({ decorator }) => decorator === 'PerThread')) keys.add(key)
  }
  for (const each of classesOf(Class)) note(ownMemberNotes(each))
  note(notes)
  return keys
}

function backingOf(prototype: object, key: PropertyKey, name: string): Slot['backing'] {
  const found = Object.getOwnPropertyDescriptor(prototype, key)
  if (!found || shapeOwnsAccessor(found)) return undefined
  if (found.get && found.set) return { get: found.get, set: found.set }
  throw new FlatshareError(
    `@Shared can't decorate ${name}.${label(key)}: it is a method or a lone getter or setter, not a field.`,
  )
}
