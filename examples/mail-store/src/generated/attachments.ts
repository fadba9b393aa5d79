import { Buffer } from 'node:buffer'
import type { Random } from './random.js'
import { transfer } from './transfer.js'

interface Kind {
  type: string
  names: string[]
  content(random: Random): Buffer
}

const kinds: Kind[] = [
  {
    type: 'text/plain; charset=us-ascii',
    names: ['build.log', 'trace.txt'],
    content: (random) => Buffer.from(log(random)),
  },
  {
    type: 'text/csv; charset=utf-8',
    names: ['median.csv', 'runs.csv'],
    content: (random) => Buffer.from(table(random)),
  },
  {
    type: 'image/png',
    names: ['flame graph.png', 'screen.png'],
    content: (random) => noise(random, '\x89PNG\r\n\x1a\n'),
  },
  { type: 'application/pdf', names: ['slides.pdf', 'minutes.pdf'], content: (random) => noise(random, '%PDF-1.4\n') },
  { type: 'application/gzip', names: ['core.gz'], content: (random) => noise(random, '\x1f\x8b\x08\x00') },
]

/** A part of a multipart message: header, blank line, base64. */
export function attachment(random: Random): string {
  const kind = random.pick(kinds)
  return [
    `Content-Type: ${kind.type}`,
    `Content-Disposition: attachment; filename="${random.pick(kind.names)}"`,
    'Content-Transfer-Encoding: base64',
    '',
    transfer(kind.content(random), 'base64'),
  ].join('\n')
}

function log(random: Random): string {
  let text = ''
  for (let step = random.between(40, 200); step > 0; step--) {
    text += `[${random.below(100_000)}] worker ${random.below(8)}: ${random.pick(['compiled', 'linked', 'skipped'])} unit ${random.below(5000)}\n`
  }
  return text
}

function table(random: Random): string {
  let text = 'run,threads,median µs,p99 µs\n'
  for (let run = 1, runs = random.between(50, 300); run <= runs; run++) {
    text += `${run},${1 << random.below(4)},${random.between(200, 900) / 100},${random.between(1000, 9000) / 100}\n`
  }
  return text
}

function noise(random: Random, signature: string): Buffer {
  const bytes = Buffer.alloc(4 * random.between(500, 5000))
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(random.bits(), at)
  return Buffer.concat([Buffer.from(signature, 'latin1'), bytes])
}
