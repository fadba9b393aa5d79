/** What `withTimeout` rejects with when the time is over, unless it was given another error. */
export const E_TIMEOUT = new Error('timeout while waiting for mutex to become available')

/** What `tryAcquire` rejects with when it would have to wait, unless it was given another error. */
export const E_ALREADY_LOCKED = new Error('mutex already locked')

/** What `cancel` rejects with, unless the lock was made with another error. */
export const E_CANCELED = new Error('request for lock canceled')
