/** What crosses between the page and a worker besides calls and values: a class of the worker's, and how the page uses it. */
import {
  type Apartment,
  ApartmentThreaded,
  blocking,
  callWith,
  currentCall,
  Interleaved,
  objectTable,
  type Remote,
  transfer,
} from '@flatshare/apartment'
import type { Bank } from './bank.js'

@ApartmentThreaded()
export class PostOffice {
  #ended = 0

  async *letters(count: number): AsyncGenerator<string> {
    try {
      for (let i = 0; i < count; i++) yield `letter ${i}`
    } finally {
      this.#ended++
    }
  }

  get ended(): number {
    return this.#ended
  }

  shout(lines: ReadableStream<string>): ReadableStream<string> {
    const louder = new TransformStream<string, string>({
      transform: (line, controller) => controller.enqueue(line.toUpperCase()),
    })
    return lines.pipeThrough(louder)
  }

  weigh(parcel: { contents: Uint8Array }): number {
    return parcel.contents.byteLength
  }

  /** Gives why, once the caller has given up. */
  @Interleaved()
  async wait(gaveUp: (why: string) => void): Promise<void> {
    const { signal } = currentCall()!
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    gaveUp((signal.reason as Error).name)
  }

  /** What a blocking call to the page ends in. */
  ask(page: Remote<() => string>): string {
    try {
      return blocking(page)()
    } catch (error) {
      return (error as Error).name
    }
  }

  register(name: string): void {
    objectTable.register(name, this)
  }
}

export async function usePost(worker: Apartment<Bank>) {
  const post = await worker.create('PostOffice')

  const letters: string[] = []
  for await (const letter of post.letters(100)) {
    letters.push(letter)
    if (letters.length === 3) break
  }
  let count = 0
  for await (const _letter of post.letters(100)) count++

  const lines = new ReadableStream<string>({
    start(controller) {
      for (const line of ['one', 'two']) controller.enqueue(line)
      controller.close()
    },
  })
  const shouted: string[] = []
  const reader = (await post.shout(lines)).getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) shouted.push(next.value)

  const contents = new Uint8Array(1000)
  const weight = await post.weigh({ contents: transfer(contents, [contents.buffer]) })

  const controller = new AbortController()
  const reason = new Promise<string>((resolve) => {
    const waiting = callWith(post, { signal: controller.signal }).wait(resolve)
    void waiting.catch(() => {})
  })
  await post.ended
  controller.abort(new DOMException('Enough.', 'TimeoutError'))

  await post.register('the post office')
  const found = await objectTable.get<Remote<PostOffice>>('the post office')
  let uncloneable = ''
  try {
    structuredClone(post)
  } catch (error) {
    uncloneable = (error as Error).name
  }
  return {
    letters,
    count,
    ended: await post.ended,
    shouted,
    weight,
    left: contents.byteLength,
    reason: await reason,
    sameProxy: found === post,
    fromPage: refusedHere(post),
    fromWorker: await post.ask(() => 'the page'),
    uncloneable,
  }
}

function refusedHere(post: Remote<PostOffice>): string {
  try {
    return String(blocking(post).ended)
  } catch (error) {
    return (error as Error).name
  }
}
