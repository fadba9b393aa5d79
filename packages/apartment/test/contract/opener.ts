/** What the contract suite needs of a link between threads: how to open an apartment over it. */
import { Apartment, type LinkKind, type OpenOptions } from '@flatshare/apartment'
import { type Crossing, crossingUrl, type Store, storeUrl } from '../apartments.js'

export interface Opener {
  <M>(module: URL, options?: OpenOptions): Promise<Apartment<M>>
  /** What the links are made of: in the tests' names. */
  readonly over: string
  /**
   * Whether its apartments are threads of this process: they share memory with this one, and with it all that lives there, and
   * meet each other without anybody between them.
   */
  readonly sharesMemory: boolean
  /** The kind of those links; of links that a test makes itself, where its apartments are no threads of this process. */
  readonly link: LinkKind
  /** The causes of the errors of calls to one that has called `process.exit(3)`, was killed, or ran out of memory. */
  readonly exited: object | undefined
  readonly killed: object | undefined
  readonly outOfMemory: object
}

/** What the kinds of links are called in the tests' names. */
const nameOf: Record<LinkKind, string> = { shared: 'shared memory', port: 'message ports' }

/** What opens threads of this process. */
export const threadsOver = (link: LinkKind): Opener =>
  Object.assign(
    <M>(module: URL, options?: OpenOptions): Promise<Apartment<M>> => Apartment.open<M>(module, { ...options, link }),
    {
      over: nameOf[link],
      sharesMemory: true,
      link,
      exited: undefined,
      killed: undefined,
      outOfMemory: { code: 'ERR_WORKER_OUT_OF_MEMORY' },
    },
  )

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
