import { ApartmentThreaded, type Remote } from 'flatshare'
import type { FoldersTable } from '../../dist/copy/folders-table.js'

import '../../dist/folder.js'

/** Takes a folder, and never gives it back. */
@ApartmentThreaded()
export class DyingCopier {
  async take(table: Remote<FoldersTable>): Promise<string | undefined> {
    return (await table.next())?.name
  }

  end(): void {
    process.exit()
  }
}
