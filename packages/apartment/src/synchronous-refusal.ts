/** Why a proxy refuses members that mean what they say only if they answer at once: see core's `synchronous-only.ts`. */
import { DowngradeError } from '@flatshare/core'
import { processName, type SynchronousMember } from '@flatshare/core/internal'
import { homeOfReference } from './home-of.js'
import { stateOf } from './proxy-state.js'
import type { Reference } from './reference.js'

/** @throws DowngradeError for a call by a proxy which wouldn't answer at once. */
export function refuseLate(proxy: unknown, [member, instead, callsBack]: SynchronousMember): void {
  const state = stateOf(proxy)
  if (!state || (state.blocking && !callsBack)) return
  const { reference } = state
  const { name } = reference
  const variable = name.charAt(0).toLowerCase() + name.slice(1)
  // What waits there does so without blocking that thread.
  const blocked = member.endsWith('Sync') ? instead : `${member}(${argumentOf(instead)})`
  const mends = [`blocking(${variable}).${blocked}`]
  if (!state.blocking) mends.unshift(`await ${variable}.${instead}`)
  const why = callsBack
    ? "can't be called by a proxy: the function that it is given would run too late"
    : 'would answer too late by a proxy: whoever calls it takes the promise for the answer'
  throw new DowngradeError(
    `${name}.${member}() ${why}. The ${name} lives ${placeOf(reference)}. Nothing was sent. Instead: ${mends.join(', or ')}.`,
  )
}

/** What stands before the options, if anything does: `put(value, { timeout: 0 })` is `tryPut(value)` at once. */
function argumentOf(call: string): string {
  return /\((\w*)/.exec(call)?.[1] ?? ''
}

function placeOf(reference: Reference): string {
  const { process, pid, name } = homeOfReference(reference)
  const thread = `on the thread "${name}"`
  return process === processName() ? thread : `in another process (${pid === undefined ? '' : `pid ${pid}, `}${thread})`
}
