/** What the tests of pools run on their threads. */
import { threadId, workerData } from 'node:worker_threads'
import { ApartmentThreaded, currentCall } from '@flatshare/apartment'
import { currentThread } from '@flatshare/core'

@ApartmentThreaded()
export class Renderer {
  #rendered = 0
  #theme: string

  constructor(theme = 'plain') {
    if (theme === 'fails') throw new RangeError('no such theme')
    if (theme === `fails on ${currentThread.name}`) throw new RangeError('no such theme here')
    this.#theme = theme
  }

  get theme(): string {
    return this.#theme
  }

  /** So many it has rendered. */
  render(): number {
    return ++this.#rendered
  }

  thread(): string {
    return currentThread.name
  }

  /** Says that it runs, and ends when the caller lets it. */
  async hold(entered: (thread: string) => Promise<unknown>): Promise<string> {
    await entered(currentThread.name)
    return currentThread.name
  }

  /** Calls its caller back, which may call it again. */
  async through(back: () => Promise<unknown>): Promise<unknown> {
    return back()
  }

  /** Listens to no signal. */
  async deaf(entered: () => Promise<unknown>, goOn: () => Promise<unknown>): Promise<void> {
    await entered()
    await goOn()
  }

  /** Runs for ever, and looks at nothing. */
  async spin(entered: () => Promise<unknown>): Promise<never> {
    void entered()
    await new Promise((resolve) => setImmediate(resolve))
    for (;;);
  }

  deadline(): number | undefined {
    return currentCall()!.deadline
  }

  fail(message: string): never {
    throw new RangeError(message)
  }

  async exit(): Promise<never> {
    process.exit(1)
  }
}

@ApartmentThreaded()
export class Other {
  hello(): string {
    return 'hello'
  }
}

export const settings = { depth: 2, thread: (): string => currentThread.name }
export const where = (): string => currentThread.name
export const data = (): unknown => workerData
export const native = (): number => threadId
export const double = (x: number): number => 2 * x
export const apply = async (fn: (x: number) => Promise<number>, x: number): Promise<number> => fn(x)
export const hold = async (entered: (thread: string) => Promise<unknown>): Promise<unknown> =>
  entered(currentThread.name)
/** Runs for ever once its caller has answered, and looks at nothing. */
export const spin = async (entered: () => Promise<unknown>): Promise<never> => {
  await entered()
  for (;;);
}
