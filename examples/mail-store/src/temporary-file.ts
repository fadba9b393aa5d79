import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A path for a file in a directory of its own. To dispose of it is synchronous, so that an exit handler can. */
export class TemporaryFile implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'mail-store-'))
  readonly path: string

  constructor(name: string) {
    this.path = join(this.#directory, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
