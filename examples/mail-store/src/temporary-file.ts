import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A path for a file in a directory of its own, which is gone when it is disposed of, or when the process exits. */
export class TemporaryFile implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'mail-store-'))
  readonly #remove = () => rmSync(this.#directory, { recursive: true, force: true })
  readonly path: string

  constructor(name: string) {
    this.path = join(this.#directory, name)
    process.once('exit', this.#remove)
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#remove)
    this.#remove()
  }
}
