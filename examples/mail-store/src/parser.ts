/** What runs in a process of its own for `--processes`: it parses, and knows nothing of the indexes. */
import { type FileHandle, open } from 'node:fs/promises'
import { ApartmentThreaded, type Progress } from 'flatshare'
import type { Outcome } from './message.js'
import { parseShare, type Share } from './share.js'

/** Parses messages in its own process. What it finds goes back as plain records. */
@ApartmentThreaded()
export class Parser {
  readonly #path: string
  readonly #progress: Progress
  #file: Promise<FileHandle> | undefined

  constructor(path: string, progress: Progress) {
    this.#path = path
    this.#progress = progress
  }

  /** What was found in a share of the archive. */
  async parse(share: Share): Promise<Outcome[]> {
    return parseShare(await (this.#file ??= open(this.#path)), share, this.#progress)
  }
}
