import { ownThreadId } from '@flatshare/core/internal'
import { DIRTY } from './lock-mode.js'

/**
 * This thread as locks name it, once it has met an object (`handle.ts`): its id, and the mode of a lock that it holds,
 * dirty, by synchronous code. Ids stay for ever, so hot code reads them here, unchecked.
 */
export const own = { id: 0, mark: -1 }

export function noteOwnThread(): void {
  own.id = ownThreadId()
  own.mark = (own.id << 2) | DIRTY
}
