/** What the contract suite needs of a link between threads: how to open an apartment over it. */
import type { Apartment, OpenOptions } from '@flatshare/apartment'
import { type Crossing, crossingUrl, type Store, storeUrl } from '../apartments.js'

export type Opener = <M>(module: URL, options?: OpenOptions) => Promise<Apartment<M>>

/** Opens apartments of the tests' own module. */
export const storeOpener =
  (open: Opener) =>
  (options?: OpenOptions): Promise<Apartment<Store>> =>
    open<Store>(storeUrl, options)

/** Opens apartments of the module of what crosses. */
export const crossingOpener =
  (open: Opener) =>
  (name: string): Promise<Apartment<Crossing>> =>
    open<Crossing>(crossingUrl, { name })

export type Carrying = typeof import('../threads/carrying.js')

export const carryingUrl = new URL('../threads/carrying.js', import.meta.url)
