import type { CoreMutant } from '../../../sync/dist-test/explorer/core-mutants.js'

/** The protocol with one line broken each. */
export const versionMutants: readonly CoreMutant[] = [
  {
    name: 'the current image is written',
    line: 'copy(object, imageAt(images, imageBytes, next), runs);',
    instead: 'copy(object, imageAt(images, imageBytes, next + 1), runs);',
    foundBy: 'one writes three times, one looks twice',
  },
  {
    name: 'the version is raised before the image is there',
    line: 'copy(object, imageAt(images, imageBytes, next), runs);\n        memory.publish(lock + VERSION, next);',
    instead: 'memory.publish(lock + VERSION, next);\n copy(object, imageAt(images, imageBytes, next), runs);',
    foundBy: 'one writes three times, one looks twice',
  },
  {
    name: 'the current image is written, of one run',
    line: 'copyRun(from, imageAt(to, imageBytes, next), bytes);',
    instead: 'copyRun(from, imageAt(to, imageBytes, next + 1), bytes);',
    foundBy: 'one writes three times, one looks twice',
  },
  {
    name: 'the version is raised before the image of one run is there',
    line: 'copyRun(from, imageAt(to, imageBytes, next), bytes);\n        memory.publish(lock + VERSION, next);',
    instead: 'memory.publish(lock + VERSION, next);\n copyRun(from, imageAt(to, imageBytes, next), bytes);',
    foundBy: 'one writes three times, one looks twice',
  },
  {
    name: 'the version stays',
    line: 'copyRun(from, imageAt(to, imageBytes, next), bytes);\n        memory.publish(lock + VERSION, next);',
    instead: 'copyRun(from, imageAt(to, imageBytes, next), bytes);',
    foundBy: 'two write and look at what they wrote, one looks',
  },
  {
    name: 'who has looked does not compare',
    line: 'memory.load(lock + VERSION) === versions[i]))',
    instead: 'versions[i] !== undefined))',
    foundBy: 'one writes three times, one looks twice',
  },
  {
    name: 'who has looked compares the last lock only',
    line: 'if (locks.every((lock, i) =>',
    instead: 'if (locks.every((lock, i) => i === 0 ||',
    foundBy: 'one writes the one group, then the other; one looks',
  },
  {
    name: 'a snapshot is of the image that is not current',
    line: 'return images + (version & 1) * imageBytes;',
    instead: 'return images + (~version & 1) * imageBytes;',
    foundBy: 'a mortal writes, one takes over and writes, one looks',
  },
  {
    name: 'an optimistic reader does not look for a holder',
    line: '(memory.loadFirst(lock) & (OWNER_MASK | UNMENDED)) === 0 && ',
    instead: '',
    foundBy: 'one writes twice, one reads optimistically twice',
  },
  {
    name: 'an optimistic reader does not compare',
    line: ' && memory.loadFirst(lock + VERSION) === version;',
    instead: ';',
    foundBy: 'one writes twice, one reads optimistically twice',
  },
  {
    name: 'an optimistic reader compares before it looks for a holder',
    line: '(memory.loadFirst(lock) & (OWNER_MASK | UNMENDED)) === 0 && memory.loadFirst(lock + VERSION) === version;',
    instead:
      'memory.loadFirst(lock + VERSION) === version && (memory.loadFirst(lock) & (OWNER_MASK | UNMENDED)) === 0;',
    foundBy: 'one writes twice, one reads optimistically twice',
  },
  {
    name: 'an optimistic reader believes what nobody has mended',
    line: '(OWNER_MASK | UNMENDED)',
    instead: 'OWNER_MASK',
    foundBy: 'a mortal writes, one takes over and does not mend, one reads optimistically',
  },
]
