/** Tells what settled, in which order and in which turn of the microtask queue. */

/** As many turns of the microtask queue as any of these promises needs; a turn of the event loop is none of them. */
const ENOUGH_TURNS = 30

/** Lets the microtask queue run so often. */
export async function turns(count = ENOUGH_TURNS): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

/** Notes, by name, the promises that settle. */
export class Events {
  /** Names, in the order in which they came. */
  readonly names: string[] = []
  /** Each with its turn since `startTurns`: `'a @2'`. */
  readonly timed: string[] = []
  #turn = 0

  /** Notes something by hand. */
  note(name: string): void {
    this.names.push(name)
    this.timed.push(`${name} @${this.#turn}`)
  }

  /** Notes the end of a promise: its name, or `name!` with the error's message. */
  watch(name: string, promise: PromiseLike<unknown>): void {
    promise.then(
      () => this.note(name),
      (error: Error) => this.note(`${name}! ${error.message}`),
    )
  }

  /** Lets the microtask queue run, and counts its turns. */
  async run(count = ENOUGH_TURNS): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#turn++
      await Promise.resolve()
    }
  }

  /** What has come since it was last asked. */
  take(): string[] {
    this.timed.length = 0
    return this.names.splice(0)
  }

  /** As `take`, each with its turn. */
  takeTimed(): string[] {
    this.names.length = 0
    return this.timed.splice(0)
  }
}

/** A promise with its ends outside. */
export class Gate<T = void> {
  open!: (value: T) => void
  fail!: (error: Error) => void
  readonly passed = new Promise<T>((resolve, reject) => {
    this.open = resolve
    this.fail = reject
  })
}

/** What is awaited like a promise and is none. */
export function thenable<T>(value: T): Promise<T> {
  // biome-ignore lint/suspicious/noThenProperty: that is what it is for
  return { then: (resolve: (value: T) => void) => resolve(value) } as unknown as Promise<T>
}
