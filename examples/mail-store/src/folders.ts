import { FreeThreaded, ref, Shared, SharedMap } from 'flatshare'
import type { Batch } from './batch.js'
import { BatchIndex } from './batch-index.js'
import { Folder } from './folder.js'
import { recordsByFolder } from './records-by-folder.js'

/** The folders, one for each year. */
@FreeThreaded()
export class Folders extends BatchIndex {
  @Shared(ref(SharedMap)) readonly byName: SharedMap<string, Folder, Folder> = new SharedMap<string, Folder, Folder>({
    key: 'string',
    value: Folder,
  })

  names(): string[] {
    return [...this.byName.keys()].sort()
  }

  /** @throws RangeError where there is no such folder. */
  open(name: string): Folder {
    const folder = this.byName.get(name)
    if (!folder) throw new RangeError(`There is no folder ${name}.`)
    return folder
  }

  protected include(batch: Batch): void {
    for (const [name, records] of recordsByFolder(batch.records)) {
      const { messages } = this.byName.getOrInsertComputed(name, () => new Folder(name))
      for (const record of records) messages.push(record)
    }
  }

  protected reset(): void {
    for (const folder of this.byName.values()) folder.messages.clear()
  }
}
