/** Opens an apartment of its own. */
import { Apartment, type Remote } from '@flatshare/apartment'

let inner: Apartment<typeof import('./store.js')> | undefined

export async function openInner(): Promise<Remote<import('./store.js').Relay>> {
  inner = await Apartment.open<typeof import('./store.js')>(new URL('./store.js', import.meta.url), { name: 'inner' })
  return inner.create('Relay')
}

export const closeInner = async (): Promise<void> => inner?.close()
