/** What a handle holds: one in its object's count, by an entry of this thread's ledger. */
export class Hold {
  /** What this thread has read of the object's fields, by field. */
  cache: unknown[] | undefined

  constructor(
    readonly address: number,
    /** 0 once it was given up. */
    public entry: number,
  ) {}
}
