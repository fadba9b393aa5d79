import { appendFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Tail } from '../dist/watch/tail.js'
import { mail } from './mail-text.js'
import { scratchDirectory } from './scratch-file.js'

const settling = 500

/** A tail of a file that isn't there yet; `look` says what it finds: the subjects of messages, and what has happened. */
function tailOf(name = 'inbox') {
  const path = join(scratchDirectory(), name)
  const tail = new Tail(path, settling)
  onTestFinished(() => tail.close())
  return {
    path,
    tail,
    append: (text: string) => appendFileSync(path, text),
    async look(now = 0, isLast = false): Promise<string[]> {
      const found: string[] = []
      for await (const each of tail.look(now, isLast)) {
        if (each.kind === 'message') found.push(/Subject: (.*)/.exec(Buffer.from(each.message.bytes!).toString())![1])
        else found.push(each.kind === 'restarted' ? each.reason : each.kind)
      }
      return found
    },
  }
}

test('what is appended is found once, whatever the looks', async () => {
  const { append, look } = tailOf()
  expect(await look()).toEqual([])
  append(mail(1) + mail(2))
  expect(await look()).toEqual(['mail 1'])
  expect(await look()).toEqual([])
  append(mail(3))
  expect(await look()).toEqual(['mail 2'])
  expect(await look(settling)).toEqual(['mail 3'])
  expect(await look(3 * settling)).toEqual([])
})

describe('a half-written message waits', () => {
  test('wherever it is cut, it comes whole, and so does the one before', async () => {
    const [first, second] = [mail(1), mail(2, 'From here on\n\nFrom me: prose\nit goes on')]
    for (let cut = 1; cut < second.length; cut += 3) {
      const { append, look } = tailOf()
      append(first + second.slice(0, cut))
      const before = await look()
      append(second.slice(cut) + mail(3) + mail(4))
      expect([...before, ...(await look())]).toEqual(['mail 1', 'mail 2', 'mail 3'])
    }
  })

  test('for its writer to settle, and after each write anew', async () => {
    const { append, look, tail } = tailOf()
    append(mail(1).slice(0, -10))
    expect(await look(100)).toEqual([])
    expect(await look(10 * settling)).toEqual([])
    append(mail(1).slice(-10))
    expect(await look(11 * settling)).toEqual([])
    expect(tail.settlesAt).toBe(12 * settling)
    append(mail(2).slice(0, 100))
    expect(await look(12 * settling)).toEqual(['mail 1'])
    append(mail(2).slice(100))
    expect(await look(13 * settling)).toEqual([])
    expect(await look(14 * settling - 1)).toEqual([])
    expect(await look(14 * settling)).toEqual(['mail 2'])
  })

  test('for the end of a lock, however long', async () => {
    const { append, look, path, tail } = tailOf()
    writeFileSync(`${path}.lock`, '')
    append(mail(1))
    expect(await look(0)).toEqual([])
    expect(await look(100 * settling)).toEqual([])
    expect(tail.settlesAt).toBeUndefined()
    rmSync(`${path}.lock`)
    expect(await look(100 * settling)).toEqual(['mail 1'])
  })

  test('unless nobody looks again', async () => {
    const { append, look } = tailOf()
    append(mail(1) + mail(2).trimEnd())
    expect(await look(0, true)).toEqual(['mail 1', 'mail 2'])
  })
})

test('what has been there for long needn’t settle', async () => {
  const { append, look } = tailOf()
  append(mail(1))
  expect(await look(Date.now() + 2 * settling)).toEqual(['mail 1'])
})

describe('a file that is not as it was left begins anew', () => {
  test('truncated and written again, to whatever length', async () => {
    for (const again of [mail(4), mail(4) + mail(5), mail(4) + mail(5) + mail(6)]) {
      const { append, look, path } = tailOf()
      append(mail(1) + mail(2))
      expect(await look(0, true)).toEqual(['mail 1', 'mail 2'])
      truncateSync(path)
      append(again)
      expect(await look(0, true)).toEqual([
        'truncated',
        ...[4, 5, 6].slice(0, again.length / mail(4).length).map((n) => `mail ${n}`),
      ])
    }
  })

  test('emptied, and later written to', async () => {
    const { append, look, path } = tailOf()
    append(mail(1))
    await look(0, true)
    truncateSync(path)
    expect(await look()).toEqual(['truncated'])
    expect(await look()).toEqual([])
    append(mail(2))
    expect(await look(0, true)).toEqual(['mail 2'])
  })

  test('rotated: the file that was there is read to its end first, its last message too', async () => {
    const { append, look, path } = tailOf()
    append(mail(1) + mail(2))
    expect(await look()).toEqual(['mail 1'])
    append(mail(3))
    renameSync(path, `${path}.1`)
    append(mail(4))
    expect(await look()).toEqual(['mail 2', 'mail 3', 'replaced'])
    expect(await look(settling - 1)).toEqual([])
    expect(await look(settling)).toEqual(['mail 4'])
  })

  test('removed, and there again', async () => {
    const { append, look, path, tail } = tailOf()
    append(mail(1))
    expect(await look()).toEqual([])
    rmSync(path)
    expect(await look()).toEqual(['mail 1', 'gone'])
    expect(tail.identity).toBe('')
    expect(await look()).toEqual([])
    append(mail(2) + mail(3))
    expect(await look()).toEqual(['mail 2'])
  })
})
