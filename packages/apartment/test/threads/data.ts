import { workerData } from 'node:worker_threads'
import { currentThread } from '@flatshare/core'

export const received = (): unknown => workerData
export const name = (): string => currentThread.name
export default class Main {
  hello(): string {
    return 'hello'
  }
}
