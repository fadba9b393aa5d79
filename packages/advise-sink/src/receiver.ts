/** What each thread that has imported this package does for sources of others. */

import { callAbove, type InnerSettings, serveAbove } from '@flatshare/apartment/internal'
import { DisconnectedError, FlatshareError } from '@flatshare/core'
import { type ThreadId, threadName } from '@flatshare/core/internal'

const NAME = 'notifications'

type Serve = (...args: any[]) => unknown

const served = new Map<string, Serve>()

/** From now on other threads may have this one do that. */
export function receive(member: string, serve: Serve): void {
  served.set(member, serve)
}

serveAbove({
  name: NAME,
  perform(member, args) {
    const serve = served.get(member)
    if (!serve) throw new FlatshareError(`Notifications know no "${member}": all threads must load one version.`)
    return serve(...args)
  },
})

/**
 * Has another thread do that.
 *
 * @throws FlatshareError where it hasn't imported this package.
 */
export async function callReceiver(
  thread: ThreadId,
  member: string,
  args: unknown[],
  settings?: InnerSettings,
): Promise<unknown> {
  try {
    return await callAbove(thread, NAME, member, args, settings)
  } catch (error) {
    if (!(error instanceof DisconnectedError) || !/let go at its home/.test(error.message)) throw error
    throw new FlatshareError(
      `The thread "${threadName(thread)}" can't be notified: it has not imported @flatshare/advise-sink.`,
      { cause: error },
    )
  }
}
