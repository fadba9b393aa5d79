import { parentPort } from 'node:worker_threads'
import { unmarshal } from '@flatshare/core'
import { trade } from './heap-shop.js'

parentPort!.on('message', ({ packet, table, times, seed, stop }) => {
  unmarshal(packet)
  parentPort!.postMessage('begun')
  try {
    parentPort!.postMessage({ done: trade(table, times, seed, stop) })
  } catch (error) {
    parentPort!.postMessage({ error })
  }
})
