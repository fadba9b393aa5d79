/** A thread that requests locks as it is told; tests start it by `Client`. */
import { parentPort } from 'node:worker_threads'
import { currentThread } from '@flatshare/core'
import { type LockManagerSnapshot, type LockRequestOptions, locks } from '@flatshare/sync'

export type Command =
  | { do: 'request'; id: number; name: string; options: LockRequestOptions; cells?: Int32Array }
  | { do: 'release'; id: number }
  | { do: 'abort'; id: number }
  | { do: 'query'; id: number }
  | { do: 'count'; id: number; names: string[]; cells: Int32Array; rounds: number }
  | { do: 'hammer'; names: string[]; cells: Int32Array }
  | { do: 'exit' | 'throw' }

/** What became of the command with this id. */
export interface Report {
  id: number
  requested?: true
  granted?: boolean
  done?: { value?: unknown; error?: { name: string; message: string } }
  snapshot?: LockManagerSnapshot
}

const report = (message: Report) => parentPort!.postMessage(message)
const releases = new Map<number, (value: string) => void>()
const controllers = new Map<number, AbortController>()

const commands: { [K in Command['do']]: (command: Extract<Command, { do: K }>) => unknown } = {
  request({ id, name, options, cells }) {
    const controller = new AbortController()
    controllers.set(id, controller)
    const signal = options.steal || options.ifAvailable ? undefined : controller.signal
    const done = locks.request(name, { ...options, signal }, (lock) => {
      // In the order of the grants: cell 0 counts them.
      if (cells) cells[Atomics.add(cells, 0, 1) + 1] = id
      report({ id, granted: lock !== null })
      return lock && new Promise<string>((resolve) => releases.set(id, resolve))
    })
    report({ id, requested: true })
    return done
  },
  release({ id }) {
    releases.get(id)!('released')
  },
  abort({ id }) {
    controllers.get(id)!.abort()
  },
  async query({ id }) {
    report({ id, snapshot: await locks.query() })
  },
  async count({ names, cells, rounds }) {
    const lane = async (lane: number) => {
      for (let i = 0; i < rounds; i++) {
        const which = (i + lane) % names.length
        await locks.request(names[which]!, async () => {
          const value = cells[which]!
          // Half of them hold the lock over a turn of the microtask queue.
          if (i % 2) await Promise.resolve()
          cells[which] = value + 1
        })
      }
    }
    await Promise.all([lane(0), lane(1)])
  },
  /** Requests in all ways until the thread ends; cell 0 counts, so that others see it going. */
  async hammer({ names, cells }) {
    const ways: LockRequestOptions[] = [{}, { mode: 'shared' }, { ifAvailable: true }, { steal: true }]
    const lane = async (lane: number) => {
      for (let i = lane; ; i++) {
        const request = locks.request(names[i % names.length]!, ways[(i * 7) % ways.length]!, () => {
          Atomics.add(cells, 0, 1)
          return i % 3 === 0 ? new Promise(setImmediate) : undefined
        })
        await request.catch(() => {})
      }
    }
    await Promise.all([0, 1, 2].map(lane))
  },
  exit() {
    process.exit(3)
  },
  throw() {
    throw new Error('on purpose')
  },
}

parentPort!.on('message', (command: Command) => {
  if (command.do === 'throw') commands.throw(command as never)
  void Promise.resolve((commands[command.do] as (command: Command) => unknown)(command)).then(
    (value) => 'id' in command && report({ id: command.id, done: { value } }),
    ({ name, message }: Error) => 'id' in command && report({ id: command.id, done: { error: { name, message } } }),
  )
})

report({ id: 0, done: { value: currentThread.id } })
