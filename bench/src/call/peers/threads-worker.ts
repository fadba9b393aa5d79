// @ts-expect-error its types aren't exported
import { expose, Transfer } from 'threads/worker'
import { add, echo } from '../work.js'

const api = { add, echo, move: (bytes: Uint8Array<ArrayBuffer>) => Transfer(bytes, [bytes.buffer]) }

export type Api = typeof api

expose(api)
