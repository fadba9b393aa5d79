/** Threads that block on calls of each other, with as little else as can be. */

import { makeBlockedCalls } from '../../dist/blocked-calls.js'
import { DeadlockError } from '../../dist/errors.js'
import { makeInbox } from '../../dist/inbox.js'
import type { Code, Message, Scenario, Thread } from './explore.js'

/** What the scenarios run; tests put a broken one in its place. */
export const subject = { makeInbox, makeBlockedCalls }

const CALL = 0
const ANSWER = 1

/** A thread with its links: the order of what it does is that of a blocked thread of the apartments. */
function agent(thread: Thread, serve: (path: readonly number[]) => void = () => {}) {
  const inbox = subject.makeInbox(thread.memory)
  const blockedCalls = subject.makeBlockedCalls({ ...thread.memory, posted: inbox.posted })
  const blocked: number[] = []
  const postponed: Array<readonly number[]> = []
  const answered = new Set<number>()

  const post = (to: number, message: Message) => {
    thread.post(to, message)
    inbox.posted(to)
  }
  const answer = (path: readonly number[]) => {
    serve(path)
    const id = path[path.length - 1]!
    post(Math.floor(id / 10), [ANSWER, id])
  }
  const isNested = (path: readonly number[]) => blocked.length > 0 && path.includes(blocked[blocked.length - 1]!)
  const receive = (message: Message) => {
    if (message[0] === ANSWER) answered.add(message[1] as number)
    else {
      const path = message.slice(1) as number[]
      if (isNested(path)) answer(path)
      else postponed.push(path)
    }
  }
  const drain = () => {
    for (let message = thread.next(); message; message = thread.next()) receive(message)
  }
  /** Serves what waits, and what comes until that many calls in all have been served. */
  const serveAll = (calls: number) => {
    let served = 0
    const receiveCalls = () => {
      drain()
      while (postponed.length > 0) {
        served++
        answer(postponed.shift()!)
      }
      return served >= calls
    }
    inbox.receiveUntil(receiveCalls, { end: Infinity, what: '', announce() {}, refuse() {} })
  }

  /** Blocks on a call to another thread; its id begins with the caller's. */
  const call = (to: number, id: number, path: readonly number[] = []) => {
    const whole = [...path, id]
    post(to, [CALL, ...whole])
    blocked.push(id)
    const receiveAnswer = () => {
      drain()
      if (!answered.has(id) && !thread.isAlive(to)) {
        drain()
        if (!answered.has(id)) {
          thread.tell('lost')
          return true
        }
      }
      return answered.has(id)
    }
    try {
      inbox.receiveUntil(receiveAnswer, {
        end: Infinity,
        what: '',
        announce: (seen) => blockedCalls.noteCall(to, seen),
        refuse: blockedCalls.refuseCycle,
      })
      if (answered.has(id)) thread.tell('answered')
    } catch (error) {
      if (!(error instanceof DeadlockError)) throw error
      thread.tell('deadlock')
    } finally {
      blocked.pop()
    }
  }
  return { call, serveAll, inbox, post, drain }
}

const told =
  (...expected: string[]) =>
  (found: readonly string[]) => {
    const is = found.join('; ')
    return expected.includes(is) ? undefined : `told "${is}", not "${expected.join('" or "')}"`
  }

const serves =
  (calls: number): Code =>
  (thread) =>
    agent(thread).serveAll(calls)

export const scenarios: Readonly<Record<string, Scenario>> = {
  'two threads post to one that blocks': {
    threads: [
      (thread) => {
        const { inbox } = agent(thread)
        let came = 0
        const receive = () => {
          for (let message = thread.next(); message; message = thread.next()) came++
          return came === 2
        }
        inbox.receiveUntil(receive, { end: Infinity, what: '', announce() {}, refuse() {} })
        thread.tell('both')
      },
      (thread) => agent(thread).post(1, ['a']),
      (thread) => agent(thread).post(1, ['b']),
    ],
    finally: told('both; ; '),
  },
  'a call is answered': {
    threads: [(thread) => agent(thread).call(2, 11), serves(1)],
    finally: told('answered; '),
  },
  'the called thread dies before it answers': {
    threads: [(thread) => agent(thread).call(2, 11), (thread) => thread.die()],
    finally: told('lost; '),
  },
  'the called thread dies after it has answered': {
    threads: [
      (thread) => agent(thread).call(2, 11),
      (thread) => {
        agent(thread).serveAll(1)
        thread.die()
      },
    ],
    finally: told('answered; '),
  },
  'a call leads back to its caller': {
    preemptions: 3,
    threads: [
      (thread) => agent(thread).call(2, 11),
      (thread) => {
        const callee = agent(thread, (path) => callee.call(1, 21, path))
        callee.serveAll(1)
      },
    ],
    finally: told('answered; answered'),
  },
  'a call leads back over a third thread': {
    preemptions: 1,
    threads: [
      (thread) => agent(thread).call(2, 11),
      (thread) => {
        const second = agent(thread, (path) => second.call(3, 21, path))
        second.serveAll(1)
      },
      (thread) => {
        const third = agent(thread, (path) => third.call(1, 31, path))
        third.serveAll(1)
      },
    ],
    finally: told('answered; answered; answered'),
  },
  'a thread answers, and then calls its caller by itself': {
    preemptions: 3,
    threads: [
      (thread) => {
        const caller = agent(thread)
        caller.call(2, 11)
        caller.serveAll(1)
      },
      (thread) => {
        const callee = agent(thread)
        callee.serveAll(1)
        callee.call(1, 21)
      },
    ],
    finally: told('answered; answered'),
  },
  'two threads call each other crosswise': {
    preemptions: 3,
    threads: [1, 2].map(
      (id): Code =>
        (thread) => {
          const own = agent(thread)
          own.call(3 - id, id * 10 + 1)
          own.serveAll(1)
        },
    ),
    finally: told('answered; deadlock'),
  },
  'three threads call each other in a circle': {
    preemptions: 1,
    threads: [1, 2, 3].map(
      (id): Code =>
        (thread) => {
          const own = agent(thread)
          own.call((id % 3) + 1, id * 10 + 1)
          own.serveAll(1)
        },
    ),
    finally: told('answered; answered; deadlock'),
  },
}
