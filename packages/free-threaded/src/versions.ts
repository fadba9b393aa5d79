/**
 * How the scalars of an object are read while others write them, without its lock.
 *
 * Each lock of an object has a *version*: how often a holder that has written fields has left it. An object that
 * others can see has besides two *images* of its scalars, in a block of its own: the lowest bit of the version says
 * which of them is current. A holder that has written *commits* before it leaves: it copies the scalars that the lock
 * guards to the other image, and raises the version.
 *
 *   holder                               snapshot                        optimistic read
 *   takes the lock                       1  load the version: v          1  load the version: v
 *   writes the fields                    2  copy the image v & 1         2  run, on the fields
 *   fields → image (v + 1) & 1           3  load the version: if it      3  load the lock's word: not free?
 *   version := v + 1                        isn't v, all again              then what was read doesn't count
 *   leaves the lock                                                      4  load the version: not v? the same
 *
 *   word   version   fields               image v & 1   the other image
 *   free   v         as committed         the same      anything
 *   held   v         in change            whole         anything: in change, while the holder commits
 *   dead   v         half-changed         whole         anything
 *
 * Why a snapshot is of one moment: the image v & 1 is next written by the commit that makes v + 2, and its holder has
 * taken the lock after v + 1 was there. So who finds v again has read nothing of that. With several locks all versions
 * are loaded, then all images are copied, then all versions compared: at the last moment before the comparison began
 * all of them were current together.
 *
 * Why an optimistic read is: fields are written under the lock alone. If one was read that some holder wrote later than
 * step 1, then in step 3 that holder is still inside, or it has committed before it left: so step 4 finds another
 * version. Step 3 comes first, for a holder could commit and leave between the two.
 *
 * Invariants
 * - The version and the images of a lock are written by its holder alone; the version changes last.
 * - A holder that dies leaves a current image: the last commit, or, if it died after it had raised the version, its own.
 * - Who takes the lock of a dead one over commits, for nobody knows what that has written.
 * - Nobody waits in a snapshot, and it starts again only when somebody has committed meanwhile.
 *
 * Images are made before the first field is written since others may see the object (`images.ts`). Until then the fields
 * are what an image would be: who has read them, and finds that there are no images yet, has read what nobody had written.
 *
 * A version comes again after 2³² commits: a reader would have to be interrupted for minutes, and resume exactly then.
 *
 * After sequence locks (Boehm, "Can seqlocks get along with programming language memory models?", 2012) and the two
 * instances of left-right (Ramalhete and Correia, 2015).
 */
import { reordersReads, views } from '@flatshare/core/internal'
import { OWNER_MASK, UNMENDED } from '@flatshare/sync/internal'
import { VERSION } from './heap/block.js'

/** What the protocol touches; tests put a model of shared memory in its place. */
export interface VersionMemory {
  load(address: number): number
  /** Loads a word before all that is read after it. */
  loadFirst(address: number): number
  /** Stores a word so that who sees it sees all that was stored before. */
  publish(address: number, value: number): void
  /** Reads a word that others may write meanwhile: the result may be of any time since it was published. */
  get(address: number): number
  set(address: number, value: number): void
  /** Keeps reads that come before it before the loads that come after it. */
  fence(): void
}

// Compiled in where it is used; an import isn't.
const memory = views

const ownWord = new Int32Array(new SharedArrayBuffer(4))

/** The arena. */
const sharedVersionMemory: VersionMemory = {
  load: (address) => Atomics.load(memory.i32, address >> 2),
  // Where the machine keeps the order of loads, and of stores, the plain ones will do: compilers don't reorder accesses
  // to typed arrays of shared memory, and an atomic operation costs more than all the rest of an optimistic read.
  loadFirst: reordersReads
    ? (address) => Atomics.load(memory.i32, address >> 2)
    : (address) => memory.i32[address >> 2],
  publish: reordersReads
    ? (address, value) => void Atomics.store(memory.i32, address >> 2, value)
    : (address, value) => void (memory.i32[address >> 2] = value),
  get: (address) => memory.i32[address >> 2],
  set(address, value) {
    memory.i32[address >> 2] = value
  },
  fence: reordersReads ? () => void Atomics.add(ownWord, 0, 1) : () => {},
}

/** What a lock guards, in runs of whole words; three numbers each: where in the object, where in an image, how many bytes. */
export type Runs = readonly number[]

export function makeVersions(memory: VersionMemory) {
  /** The image of a block that is current at a version. */
  function imageAt(images: number, imageBytes: number, version: number): number {
    return images + (version & 1) * imageBytes
  }

  /** Makes what the holder of `lock` has written seen. `images` is the address of the object's images. */
  function commit(lock: number, object: number, images: number, imageBytes: number, runs: Runs): void {
    const next = nextVersion(lock)
    copy(object, imageAt(images, imageBytes, next), runs)
    memory.publish(lock + VERSION, next)
  }

  /** The same where a lock guards one run: from `from`, to `to` in the first image. */
  function commitRun(lock: number, from: number, to: number, imageBytes: number, bytes: number): void {
    const next = nextVersion(lock)
    copyRun(from, imageAt(to, imageBytes, next), bytes)
    memory.publish(lock + VERSION, next)
  }

  /** Gives new images their first content: nobody else can see the object yet. */
  function fill(lock: number, object: number, images: number, imageBytes: number, runs: Runs): void {
    copy(object, imageAt(images, imageBytes, memory.get(lock + VERSION)), runs)
  }

  function nextVersion(lock: number): number {
    return (memory.get(lock + VERSION) + 1) | 0
  }

  function copy(from: number, to: number, runs: Runs): void {
    for (let i = 0; i < runs.length; i += 3) copyRun(from + runs[i]!, to + runs[i + 1]!, runs[i + 2]!)
  }

  function copyRun(from: number, to: number, bytes: number): void {
    for (let at = 0; at < bytes; at += 4) memory.set(to + at, memory.get(from + at))
  }

  /** What `read` gives for the versions of all these locks, when all of them were current at one moment. */
  function consistently<R>(locks: readonly number[], read: (versions: readonly number[]) => R): R {
    for (;;) {
      const versions = locks.map((lock) => memory.load(lock + VERSION))
      const result = read(versions)
      memory.fence()
      if (locks.every((lock, i) => memory.load(lock + VERSION) === versions[i])) return result
    }
  }

  /** Begins an optimistic read; gives the version for `isUnchanged`. */
  function begin(lock: number): number {
    return memory.loadFirst(lock + VERSION)
  }

  /** Whether all that was read since `begin` was of one moment, and nobody is to mend it. */
  function isUnchanged(lock: number, version: number): boolean {
    memory.fence()
    return (memory.loadFirst(lock) & (OWNER_MASK | UNMENDED)) === 0 && memory.loadFirst(lock + VERSION) === version
  }

  return { imageAt, commit, commitRun, fill, consistently, begin, isUnchanged }
}

export const versions = makeVersions(sharedVersionMemory)
