/** A program that holds a lock, and has nothing else to do. */
import { locks } from '@flatshare/sync'

void locks.request('held', () => {
  console.log('held')
  return new Promise(() => {})
})
