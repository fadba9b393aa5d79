/** Who waits until the other side of a channel keeps up. */
export class WhenWritable {
  readonly #waiting: Array<() => void> = []

  constructor(readonly channel: { readonly writable: boolean }) {}

  add(callback: () => void): void {
    this.#waiting.push(callback)
    if (this.channel.writable) setImmediate(() => this.tell())
  }

  /** Calls back those who wait, if they need wait no more. */
  tell(): void {
    if (this.#waiting.length === 0 || !this.channel.writable) return
    for (const callback of this.#waiting.splice(0)) callback()
  }
}
