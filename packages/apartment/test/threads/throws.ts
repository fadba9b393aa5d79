import { registerError } from '@flatshare/core'

export class StartError extends Error {
  reason = 'on purpose'
}
registerError(StartError)
throw new StartError('this module fails')
