import { expose } from 'comlink'
import { add, echo } from '../../call/work.js'
import { ipcEndpoint } from './ipc-endpoint.js'

const api = { add, echo }

export type Api = typeof api

expose(api, ipcEndpoint(process))
