/** The doorbell with one line broken: the explorer must find each, or its scenarios prove nothing. */
import type { Edit } from './module-text.js'

export interface DoorbellMutant {
  /** What is broken. */
  readonly name: string
  readonly edits: readonly Edit[]
  /** The scenario that finds it out. */
  readonly foundBy: string
}

const COUNT = 'Atomics.add(i32, slot + POSTS, 1);'
const LOOK_AT_THE_BELL = 'if (Atomics.load(i32, slot + BELL) !== asleep)\n        return parked;'

export const mutants: readonly DoorbellMutant[] = [
  { name: 'who publishes does not count', edits: [[COUNT, '']], foundBy: 'one publishes for a sleeper' },
  {
    name: 'who publishes counts after the look at the bell',
    edits: [
      [COUNT, ''],
      [LOOK_AT_THE_BELL, `if (Atomics.load(i32, slot + BELL) !== asleep) { ${COUNT} return parked; } ${COUNT}`],
    ],
    foundBy: 'one publishes for a thread that falls asleep',
  },
  {
    name: 'who publishes counts after the look whether the thread is parked',
    edits: [
      [COUNT, ''],
      ['const asleep = id << 2;', `${COUNT} const asleep = id << 2;`],
    ],
    foundBy: 'one publishes for a thread that blocks while it is awake',
  },
  {
    name: 'nobody looks whether the thread is parked',
    edits: [['Atomics.load(i32, slot + PARKED) === (slot + POSTS) << 2', 'false']],
    foundBy: 'one publishes for a thread that blocks while it is awake',
  },
  {
    name: 'a parked thread is not notified',
    edits: [['Atomics.notify(i32, slot + POSTS);', ';']],
    foundBy: 'two publish for a sleeper that blocks in an event',
  },
  {
    name: 'a parked thread’s bell is not rung',
    edits: [[LOOK_AT_THE_BELL, `if (parked) return true;\n${LOOK_AT_THE_BELL}`]],
    foundBy: 'two publish for a sleeper that blocks in an event',
  },
  {
    name: 'nobody rings',
    edits: [['return ring(slot + BELL, asleep) || parked;', 'return parked;']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'who changes the bell does not notify',
    edits: [['Atomics.notify(i32, bell);', '']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'the bell is not changed by comparing',
    edits: [
      [
        'if (Atomics.compareExchange(i32, bell, asleep, asleep | RUNG) !== asleep)\n        return false;',
        'Atomics.store(i32, bell, asleep | RUNG);',
      ],
    ],
    foundBy: 'two publish for a sleeper',
  },
  {
    name: 'the bell is not changed at all',
    edits: [['if (Atomics.compareExchange(i32, bell, asleep, asleep | RUNG) !== asleep)\n        return false;', '']],
    foundBy: 'two publish for a sleeper',
  },
  {
    name: 'who rings too late says that he woke the thread',
    edits: [
      [
        '!== asleep)\n        return false;\n    Atomics.notify',
        '!== asleep)\n        return true;\n    Atomics.notify',
      ],
    ],
    foundBy: 'what announcing says',
  },
  {
    name: 'the bell names no thread',
    edits: [
      ['const asleep = id << 2;', 'const asleep = 0;'],
      ['own.asleep = id << 2;', 'own.asleep = 0;'],
    ],
    foundBy: 'one still rings for a thread whose slot another one has',
  },
  {
    name: 'a thread passes for another one that was awake',
    edits: [['=== ((id << 2) | AWAKE)', '% 4 === AWAKE']],
    foundBy: 'whether a thread is awake',
  },
  {
    name: 'a thread falls asleep without another look at the count',
    edits: [['Atomics.load(i32, own.posts) === seen && (own.armed', '(own.armed']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'a thread looks at the count before it lays down the bell',
    edits: [
      [
        'Atomics.store(i32, own.bell, own.asleep);',
        'const same = Atomics.load(i32, own.posts) === seen; Atomics.store(i32, own.bell, own.asleep);',
      ],
      ['Atomics.load(i32, own.posts) === seen && (own.armed', 'same && (own.armed'],
    ],
    foundBy: 'two publish for a sleeper whom its event loop wakes as well',
  },
  {
    name: 'the bell is not laid down',
    edits: [['Atomics.store(i32, own.bell, own.asleep);', '']],
    foundBy: 'two publish for a sleeper',
  },
  {
    name: 'who does not fall asleep leaves the bell as it is',
    edits: [['return true;\n    stayAwake();\n    return false;', 'return true;\n    return false;']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'no wait is armed',
    edits: [['(own.armed || arm())', 'true']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'each sleep arms a wait',
    edits: [['(own.armed || arm())', 'arm()']],
    foundBy: 'two publish for a sleeper whom its event loop wakes as well',
  },
  {
    name: 'a bell that was rung before the wait is taken for one that will be',
    edits: [['if (!wait.async)\n        return false;', 'if (!wait.async)\n        return true;']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'the wait that has fired is taken for armed',
    edits: [['own.armed = false;', '']],
    foundBy: 'one publishes twice for a sleeper',
  },
  {
    name: 'a thread that was woken is not awake',
    edits: [['own.armed = false;\n    stayAwake();', 'own.armed = false;']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'nobody is called back',
    edits: [['callback();', ';']],
    foundBy: 'one publishes for a sleeper',
  },
  {
    name: 'the end of a thread rings no bell',
    edits: [['if (own.armed)\n        Atomics.notify(memory.i32, own.bell);', '']],
    foundBy: 'two publish, of whom one may die, for a sleeper',
  },
]
