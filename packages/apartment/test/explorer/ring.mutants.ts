/** The ring with one line broken: the explorer must find each, or its scenarios prove nothing. */
import type { Edit } from '../../../core/dist-test/explorer/module-text.js'

export interface RingMutant {
  /** What is broken. */
  readonly name: string
  readonly edits: readonly Edit[]
  /** The scenario that finds it out. */
  readonly foundBy: string
}

const STORE_TAIL = 'Atomics.store(memory.i32, this.#control + TAIL, (this.#published = this.#tail));'
const STORE_HEAD = 'Atomics.store(i32, this.#control + HEAD, (this.#released = this.#head));'
const LOOK_AT_WANTED = 'return Atomics.load(i32, this.#control + WANTED) !== 0 && this.#isWanted();'
const SET_WANTED = 'Atomics.store(i32, this.#control + WANTED, wanted | 1);'
const LOOK_AT_HEAD =
  'this.#head = Atomics.load(i32, this.#control + HEAD);\n        if (((this.#head - wanted) | 0) < 0)'
const CLEAR = 'if (Atomics.compareExchange(i32, control + ENDS, ends, left) !== ends)\n            continue;'
const PUBLISH_ENDS = 'Atomics.store(memory.i32, control + ENDS, (generation << 2) | READER | WRITER);'

const oneByOne = 'the ring is filled, and the room given back one by one'
const atOnce = 'the ring is filled, and the room given back at once'

export const mutants: readonly RingMutant[] = [
  {
    name: 'the fast way takes what is free for one piece',
    edits: [['Math.min(vacant, CAPACITY - place) - HEADER', 'vacant - HEADER']],
    foundBy: 'a record does not fit before the end',
  },
  {
    name: 'the fast way takes all before the end for free',
    edits: [
      ['Math.min(vacant, CAPACITY - place) - HEADER', 'CAPACITY - place - HEADER'],
      ['vacant < ENOUGH || ', ''],
    ],
    foundBy: oneByOne,
  },
  {
    name: 'the header takes no room',
    edits: [
      ['Math.min(vacant, CAPACITY - place) - HEADER', 'Math.min(vacant, CAPACITY - place)'],
      ['vacant < ENOUGH || ', ''],
    ],
    foundBy: 'a record does not fit before the end',
  },
  {
    name: 'a record that does not fit before the end goes over it',
    edits: [['left - HEADER < atLeast ? left : 0', '0']],
    foundBy: 'a record does not fit before the end',
  },
  {
    name: 'what is skipped counts as free',
    edits: [['Math.min(vacant - skipped,', 'Math.min(vacant,']],
    foundBy: 'the ring is full where a record does not fit before the end',
  },
  {
    name: 'the slow way takes all before the end for free',
    edits: [['Math.min(vacant - skipped, CAPACITY - (this.#next & MASK))', 'CAPACITY - (this.#next & MASK)']],
    foundBy: atOnce,
  },
  {
    name: 'the slow way takes what is free for one piece',
    edits: [['Math.min(vacant - skipped, CAPACITY - (this.#next & MASK))', '(vacant - skipped)']],
    foundBy: 'what the writer knows of the room',
  },
  {
    name: 'the writer never looks how far the reader has come',
    edits: [
      ['this.#head = Atomics.load(memory.i32, this.#control + HEAD);\n        const vacant', 'const vacant'],
      ['this.#head = Atomics.load(i32, this.#control + HEAD);', ''],
    ],
    foundBy: oneByOne,
  },
  {
    name: 'what finds no room leaves a trace',
    edits: [['this.#next = this.#tail;\n        this.room = 0;\n        return 0;', 'return 0;']],
    foundBy: 'a record is filled up, and one is not committed',
  },
  {
    name: 'what was reserved at the beginning is committed for what is reserved at the end',
    edits: [['this.#next = this.#tail;\n        this.room = room;', 'this.room = room;']],
    foundBy: 'what is reserved at last is at the end',
  },
  {
    name: 'what finds no room leaves the beginning reserved',
    edits: [['this.#next = this.#tail;\n        this.room = 0;', 'this.room = 0;']],
    foundBy: 'what the writer knows of the room',
  },
  {
    name: 'nothing says how much is skipped',
    edits: [['i32[(this.#data + place) >> 2] = CAPACITY - place - HEADER;', '']],
    foundBy: 'much is left before the end',
  },
  {
    name: 'nothing says what was skipped',
    edits: [['if (this.#next !== this.#tail)\n            this.#skip();', '']],
    foundBy: 'a record does not fit before the end',
  },
  {
    name: 'the record is written where what is skipped begins',
    edits: [['(this.#data + (this.#next & MASK)) >> 2;', '(this.#data + (this.#tail & MASK)) >> 2;']],
    foundBy: 'a record does not fit before the end',
  },
  {
    name: 'a record is not rounded up',
    edits: [['(this.#next + HEADER + ((bytes + 7) & -8)) | 0', '(this.#next + HEADER + ((bytes + 3) & -4)) | 0']],
    foundBy: 'records are published in batches',
  },
  {
    name: 'the next record begins where the last one does',
    edits: [['this.#next = this.#tail = (this.#next + HEADER + ((bytes + 7) & -8)) | 0', 'this.#next = this.#tail']],
    foundBy: 'records are published one by one',
  },
  {
    name: 'what is skipped is a record',
    edits: [['while (this.kind === SKIP)', 'while (false)']],
    foundBy: 'a record does not fit before the end',
  },
  {
    name: 'a record is published before it is written',
    edits: [
      [
        'const index = (this.#data + (this.#next & MASK)) >> 2;',
        'const index = (this.#data + (this.#next & MASK)) >> 2; Atomics.store(memory.i32, this.#control + TAIL, (this.#next + HEADER + ((bytes + 7) & -8)) | 0);',
      ],
    ],
    foundBy: 'records are published in batches',
  },
  {
    name: 'nothing is published',
    edits: [[STORE_TAIL, '']],
    foundBy: 'records are published one by one',
  },
  {
    name: 'who publishes says that there was nothing new',
    edits: [[`${STORE_TAIL}\n        return true;`, `${STORE_TAIL}\n        return false;`]],
    foundBy: 'records are published one by one',
  },
  {
    name: 'the reader’s counter does not wrap around',
    edits: [['(this.#head + HEADER + ((this.bytes + 7) & -8)) | 0', '(this.#head + HEADER + ((this.bytes + 7) & -8))']],
    foundBy: 'the counters wrap around',
  },
  {
    name: 'the head that the writer waits for does not wrap around',
    edits: [['if (((this.#head - wanted) | 0) < 0)', 'if (this.#head < wanted)']],
    foundBy: 'the writer waits where the counters wrap around',
  },
  {
    name: 'who waits for room says nothing',
    edits: [[SET_WANTED, '']],
    foundBy: atOnce,
  },
  {
    name: 'who waits for room does not look again',
    edits: [[`${SET_WANTED}\n        ${LOOK_AT_HEAD}`, `${SET_WANTED}\n if (true)`]],
    foundBy: atOnce,
  },
  {
    name: 'who waits for room looks again before he says so',
    edits: [
      [
        `${SET_WANTED}\n        ${LOOK_AT_HEAD}\n            return true;`,
        `this.#head = Atomics.load(i32, this.#control + HEAD); if (((this.#head - wanted) | 0) < 0) { ${SET_WANTED} return true; }`,
      ],
    ],
    foundBy: atOnce,
  },
  {
    name: 'who waits for room says that there is some',
    edits: [['< 0)\n            return true;', '< 0)\n            return false;']],
    foundBy: atOnce,
  },
  {
    name: 'who waits for room waits for more than there will be',
    edits: [['(this.#tail - CAPACITY / 2) | 0', '(this.#tail + HEADER) | 0']],
    foundBy: atOnce,
  },
  {
    name: 'who finds room wants it all the same',
    edits: [['Atomics.store(i32, this.#control + WANTED, 0);\n        return false;', 'return false;']],
    foundBy: 'what the writer knows of the room',
  },
  {
    name: 'who looks for a record never looks how far the writer has come',
    edits: [['this.#tail = Atomics.load(i32, this.#control + TAIL);\n', '']],
    foundBy: 'records are published one by one',
  },
  {
    name: 'the reader goes on without looking whether there is a record',
    edits: [['if (this.#head === this.#tail)\n                    return false;', '']],
    foundBy: 'records are published one by one',
  },
  {
    name: 'the reader does not go on',
    edits: [['this.#head = (this.#head + HEADER + ((this.bytes + 7) & -8)) | 0;', '']],
    foundBy: 'records are published one by one',
  },
  {
    name: 'room is given back before it was read',
    edits: [
      [
        '} while (this.kind === SKIP);',
        'Atomics.store(i32, this.#control + HEAD, this.#head);\n } while (this.kind === SKIP);',
      ],
    ],
    foundBy: oneByOne,
  },
  {
    name: 'no room is given back',
    edits: [[STORE_HEAD, 'this.#released = this.#head;']],
    foundBy: oneByOne,
  },
  {
    name: 'who gives back room looks before whether it is wanted',
    edits: [
      [
        `${STORE_HEAD}\n        ${LOOK_AT_WANTED}`,
        `const isWanted = Atomics.load(i32, this.#control + WANTED) !== 0 && this.#isWanted(); ${STORE_HEAD} return isWanted;`,
      ],
    ],
    foundBy: atOnce,
  },
  {
    name: 'who gives back room does not look whether it is wanted',
    edits: [[LOOK_AT_WANTED, 'return false;']],
    foundBy: atOnce,
  },
  {
    name: 'room is announced that doesn’t suffice, and no more then',
    edits: [
      [
        'if (wanted === 0 || ((this.#head - (wanted & -8)) | 0) < 0)\n            return false;',
        'if (wanted === 0) return false; if (((this.#head - (wanted & -8)) | 0) < 0) { Atomics.store(i32, this.#control + WANTED, 0); return false; }',
      ],
    ],
    foundBy: oneByOne,
  },
  {
    name: 'all room is announced',
    edits: [['if (wanted === 0 || ((this.#head - (wanted & -8)) | 0) < 0)', 'if (wanted === 0)']],
    foundBy: 'what the writer knows of the room',
  },
  {
    name: 'room that was announced is wanted still',
    edits: [['Atomics.store(i32, this.#control + WANTED, 0);\n        return true;', 'return true;']],
    foundBy: 'what the writer knows of the room',
  },
  {
    name: 'the bytes are freed while the other end has them',
    edits: [['if ((left & (READER | WRITER)) === 0)', 'if (true)']],
    foundBy: 'both ends leave',
  },
  {
    name: 'the bytes are not freed',
    edits: [['free(data, CAPACITY);', ';']],
    foundBy: 'both ends leave',
  },
  {
    name: 'an end is not cleared by comparing',
    edits: [[CLEAR, 'Atomics.store(i32, control + ENDS, left);']],
    foundBy: 'both ends leave',
  },
  {
    name: 'who could not clear his end gives up',
    edits: [[CLEAR, CLEAR.replace('continue', 'return')]],
    foundBy: 'both ends leave',
  },
  {
    name: 'an end that has left leaves again',
    edits: [['if (ends >>> 2 !== generation || (ends & cleared) === 0)', 'if (ends >>> 2 !== generation)']],
    foundBy: 'both ends leave, one of them twice',
  },
  {
    name: 'the generation is not looked at',
    edits: [['ends >>> 2 !== generation || ', '']],
    foundBy: 'one inherits late, when the block has become another ring',
  },
  {
    name: 'a ring gets no generation of its own',
    edits: [['>>> 2) + 1) & GENERATIONS', '>>> 2)) & GENERATIONS']],
    foundBy: 'one inherits late, when the block has become another ring',
  },
  {
    name: 'where the bytes are is read after the end was cleared',
    edits: [
      ['const data = i32[control + DATA];\n', ''],
      ['free(data, CAPACITY);', 'free(i32[control + DATA], CAPACITY);'],
    ],
    foundBy: 'one leaves as another one makes a ring',
  },
  {
    name: 'who inherits clears his own end only',
    edits: [
      [
        'clearEnds(addressOf(ring) >> 2, generationOf(ring), READER | WRITER);',
        'clearEnds(addressOf(ring) >> 2, generationOf(ring), WRITER);',
      ],
    ],
    foundBy: 'the writer leaves and inherits from the reader, which dies without leaving',
  },
  {
    name: 'nobody takes back what the dead had',
    edits: [['buryEnds(control);', ';']],
    foundBy: 'who makes a ring takes back what the dead had',
  },
  {
    name: 'what a dead writer had is not taken back',
    edits: [['clearEnds(control, generation, WRITER);', ';']],
    foundBy: 'who makes a ring takes back what a dead writer had',
  },
  {
    name: 'what a dead reader had is not taken back',
    edits: [['clearEnds(control, generation, READER);', ';']],
    foundBy: 'who makes a ring takes back what the dead had',
  },
  {
    name: 'with a dead writer’s end the reader’s is taken',
    edits: [['clearEnds(control, generation, WRITER);', 'clearEnds(control, generation, WRITER | READER);']],
    foundBy: 'a writer that has died is no reason to take the ring from its reader',
  },
  {
    name: 'a ring in use is made anew',
    edits: [['if ((Atomics.load(memory.i32, control + ENDS) & (READER | WRITER)) === 0)', 'if (true)']],
    foundBy: 'two make a ring, of whom one may die',
  },
  {
    name: 'rings are made without the lock',
    edits: [['    lockShortly(list >> 2);', '']],
    foundBy: 'two make a ring, of whom one may die',
  },
  {
    name: 'the lock is kept',
    edits: [['unlockShortly(list >> 2);', ';']],
    foundBy: 'two make a ring, of whom one may die',
  },
  {
    name: 'a ring is shown before it is filled',
    edits: [
      [PUBLISH_ENDS, ''],
      [
        'i32[control + DATA] = allocate(CAPACITY);',
        'Atomics.store(memory.i32, control + ENDS, (Atomics.load(i32, control + ENDS) + 4) | READER | WRITER); i32[control + DATA] = allocate(CAPACITY);',
      ],
      ['((Atomics.load(i32, control + ENDS) >>> 2) + 1)', '(Atomics.load(i32, control + ENDS) >>> 2)'],
    ],
    foundBy: 'one dies while it makes a ring where another one was',
  },
  {
    name: 'a new control block is in no list',
    edits: [['Atomics.store(memory.i32, link, control);', '']],
    foundBy: 'two make a ring, of whom one may die',
  },
  {
    name: 'nobody notes who writes',
    edits: [['i32[control + WRITER_ID] = ownThreadId();', '']],
    foundBy: 'a ring is made where another one was full',
  },
  {
    name: 'nobody notes who reads',
    edits: [['i32[control + READER_ID] = reader;', '']],
    foundBy: 'a ring is made where another one was full',
  },
  {
    name: 'a new ring begins where the one before stood',
    edits: [['i32[control + HEAD] = 0;', '']],
    foundBy: 'a ring is made where another one was full',
  },
  {
    name: 'a new ring’s tail is that of the one before',
    edits: [['i32[control + TAIL] = 0;', '']],
    foundBy: 'a ring is made where another one was full',
  },
  {
    name: 'in a new ring room is wanted as in the one before',
    edits: [['i32[control + WANTED] = 0;', '']],
    foundBy: 'a ring is made where another one was full',
  },
  {
    name: 'any name will do',
    edits: [
      [
        'while (control !== 0 && control * 4 !== addressOf(ring))',
        'if (control * 4 !== addressOf(ring)) control = addressOf(ring) / 4; while (false)',
      ],
    ],
    foundBy: 'one reads by a name that is not, or not any more, its ring’s',
  },
  {
    name: 'a ring that was, is',
    edits: [['ends >>> 2 === generationOf(ring) && (ends & READER) !== 0', 'ends >>> 2 === generationOf(ring)']],
    foundBy: 'one reads by a name that is not, or not any more, its ring’s',
  },
  {
    name: 'a ring is read by any generation’s name',
    edits: [['ends >>> 2 === generationOf(ring) && (ends & READER) !== 0', '(ends & READER) !== 0']],
    foundBy: 'one reads by a name that is not, or not any more, its ring’s',
  },
  {
    name: 'anybody reads a ring',
    edits: [['isThis && memory.i32[control + READER_ID] === ownThreadId()', 'isThis']],
    foundBy: 'one reads by a name that is not, or not any more, its ring’s',
  },
]
