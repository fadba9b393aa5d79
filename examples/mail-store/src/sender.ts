import { FreeThreaded, Shared } from 'flatshare'

/** Somebody who wrote: an object for each address, to which all records of the messages refer. */
@FreeThreaded({ onAbandoned() {} })
export class Sender {
  /** In lower case. */
  @Shared('string') readonly address: string
  /** Messages of this sender. Written by `Senders` alone, under its lock. */
  @Shared('u32') messages = 0

  constructor(address: string) {
    this.address = address
  }
}
