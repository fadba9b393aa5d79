import { FlatshareError } from '@flatshare/core'

/** Shared memory has no room for what was asked for. Nothing has changed: every object is as it was. */
export class HeapFullError extends FlatshareError {
  override readonly name: string = 'HeapFullError'
}
