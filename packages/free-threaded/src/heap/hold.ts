/** One in an object's count, by an entry of this thread's ledger. It outlives the handle, so it must not lead to that. */
export class Hold {
  constructor(
    readonly address: number,
    /** 0 once it was given up. */
    public entry: number,
  ) {}
}

/** What a handle stands for. */
export class Attachment {
  /** What this thread has read of the object's fields, by field. */
  cache: unknown[] | undefined

  constructor(readonly hold: Hold) {}
}
