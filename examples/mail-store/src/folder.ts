import {
  type CrossesAsItself,
  type crossesAsItself,
  FreeThreaded,
  ref,
  Shared,
  SharedVector,
  Unlocked,
} from 'flatshare'
import { ContentsTable } from './contents-table.js'
import { MessageRecord } from './message-record.js'

/** Messages of one year. Any thread opens it and looks through it. */
@FreeThreaded({ onAbandoned() {} })
export class Folder implements CrossesAsItself {
  declare readonly [crossesAsItself]?: true
  @Shared('string') readonly name: string
  /** Written by `Folders` alone, under its lock. */
  @Shared(ref(SharedVector)) readonly messages: SharedVector<MessageRecord, MessageRecord> = new SharedVector<
    MessageRecord,
    MessageRecord
  >({
    of: MessageRecord,
  })

  constructor(name: string) {
    this.name = name
  }

  /** A table of what is in the folder now, for whoever asks: nobody sorts under another's feet. */
  @Unlocked()
  contentsTable(): ContentsTable {
    return new ContentsTable([...this.messages])
  }
}
