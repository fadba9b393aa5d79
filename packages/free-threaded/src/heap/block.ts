/** Where things stand in the block of a free-threaded object, in bytes from its start. */

/** Head of the list of reader records, in a lock unit. */
export const READERS = 4
/** How often holders of the lock have published what they wrote, in a lock unit; see `snapshot.ts`. */
export const VERSION = 12
/** How many hold the object: threads, other objects, packets on their way. */
export const COUNT = 16
/** Its type, by number; 0 in a block that is free. */
export const TYPE = 20
/**
 * Address of the value block with two images of the scalars, of which the version names the current one; see
 * `images.ts`. 0: only this thread has ever seen the object. CROSSED: nobody has written fields since others may.
 */
export const SHADOW = 24
export const CROSSED = 1
/** Where the fields begin. */
export const HEADER_BYTES = 32

/** Where a reader record names the next one; see `reader-records.ts` of `@flatshare/sync`. */
export const NEXT_RECORD = 8
