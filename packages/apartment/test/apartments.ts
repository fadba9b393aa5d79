/** Opens the tests' apartments. */
import { Apartment, type OpenOptions } from '@flatshare/apartment'

export type Store = typeof import('./threads/store.js')

export const storeUrl = new URL('./threads/store.js', import.meta.url)

export const openStore = (options?: OpenOptions): Promise<Apartment<Store>> => Apartment.open<Store>(storeUrl, options)

/** A promise and how to settle it. */
export function gate(): { open(): void; opened: Promise<void> } {
  let open!: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

export type Crossing = typeof import('./threads/crossing.js')

export const crossingUrl = new URL('./threads/crossing.js', import.meta.url)
