import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Apartment, DisconnectedError } from '@flatshare/apartment'
import { childProcess } from '@flatshare/process'
import { describe, expect, it } from 'vitest'

type Stubborn = typeof import('./children/stubborn.js')
const stubborn = (killTimeout?: number) =>
  childProcess(new URL('./children/stubborn.js', import.meta.url), killTimeout === undefined ? {} : { killTimeout })
const isGone = (pid: number) => {
  try {
    return !process.kill(pid, 0)
  } catch {
    return true
  }
}

describe('closing a process', () => {
  it('waits for the calls in flight, and takes no more', async () => {
    const apartment = await Apartment.open<Stubborn>(stubborn())
    const pid = await apartment.remote.pid()
    const slow = apartment.remote.slow(100)
    const closing = apartment.close()
    expect(apartment.close()).toBe(closing)
    await expect(apartment.remote.pid()).rejects.toMatchObject({ mayHaveRun: false })
    expect(await slow).toBe('done')
    await closing
    expect(isGone(pid)).toBe(true)
  })

  it('gives up calls that take longer', async () => {
    const apartment = await Apartment.open<Stubborn>(stubborn(100), { stdout: true })
    const pid = await apartment.remote.pid()
    const never = expect(apartment.remote.never()).rejects.toThrow(DisconnectedError)
    await apartment.close({ timeout: 50 })
    await never
    expect(isGone(pid)).toBe(true)
  })

  it('kills one that neither ends nor heeds SIGTERM', async () => {
    const apartment = await Apartment.open<Stubborn>(stubborn(100))
    const pid = await apartment.remote.pid()
    const blocked = apartment.remote.block().catch((error: unknown) => error)
    await apartment.close({ timeout: 50 })
    expect(isGone(pid)).toBe(true)
    expect(await blocked).toMatchObject({ cause: { message: `The process ${pid} was ended by SIGKILL.` } })
  })
})

describe('a program that opens a process', () => {
  const run = promisify(execFile)
  const program = fileURLToPath(new URL('./programs/opener.js', import.meta.url))

  it.each([
    ['closed', ['opened from main', 'done']],
    ['worker', ['opened from a worker', 'done']],
    // The call keeps it, the process doesn't.
    ['unheld', ['opened from main', 'done']],
    // Nor what it prints, which nobody reads.
    ['unread', ['opened from main', 'done']],
    ['held', ['opened from main', 'done', 'only now']],
  ])('ends when it has nothing left to do: %s', async (way, lines) => {
    const { stdout } = await run(process.execPath, [program, way])
    expect(stdout.trim().split('\n')).toEqual(lines)
  })

  it('ends with its error, and its process with it', async () => {
    const error = (await run(process.execPath, [program, 'throws']).catch((error: unknown) => error)) as Error
    expect(error).toMatchObject({ code: 1 })
  })
})

describe('what is awaited from a process', () => {
  it.each([
    ['exits', (remote: any) => remote.exit(0), 'has exited with code 0'],
    ['fails', (remote: any) => remote.exit(7), 'has exited with code 7'],
    ['is killed', (remote: any) => remote.killItself(), 'was ended by SIGKILL'],
  ])('that %s says which process that was, and how it ended', async (_, end, how) => {
    const source = childProcess(new URL('./children/basic.js', import.meta.url))
    await using apartment = await Apartment.open<typeof import('./children/basic.js')>(source, { name: 'kid' })
    const pid = await apartment.remote.pid()
    const message = (called: string, consequence: string) =>
      `${called}: the process ${pid} of "kid" ${how}; the call ${consequence}.`
    const never = apartment.remote.never().catch((error: Error) => error.message)
    await end(apartment.remote).catch(() => {})
    expect(await never).toBe(message('served.never()', 'may or may not have run'))
    await expect(apartment.remote.pid()).rejects.toThrow(message('served.pid()', 'was not made'))
  })
})

describe('a process that exits', () => {
  it('sends what it has said before, however long', async () => {
    const source = childProcess(new URL('./children/last-words.js', import.meta.url))
    await using apartment = await Apartment.open<typeof import('./children/last-words.js')>(source)
    expect(await apartment.remote.lastWords(5_000_000)).toHaveLength(5_000_000)
  })
})

describe('what is too long for a frame', () => {
  it('is refused where it is sent, and the process goes on', async () => {
    const source = childProcess(new URL('./children/listening.js', import.meta.url), { maxFrame: 10_000 })
    await using apartment = await Apartment.open<typeof import('./children/listening.js')>(source)
    await expect(apartment.remote.echo('x'.repeat(20_000))).rejects.toThrow(
      /it takes 20\d+ bytes, and the pipe carries/,
    )
    expect(await apartment.remote.echo('x'.repeat(5_000))).toHaveLength(5_000)
  })
})

describe('the output of a process', () => {
  it('arrives whole, also where it ends at once', async () => {
    const source = childProcess(new URL('./children/basic.js', import.meta.url))
    await using apartment = await Apartment.open<typeof import('./children/basic.js')>(source, { stdout: true })
    let text = ''
    apartment.stdout!.on('data', (piece: Buffer) => (text += piece.toString()))
    const ended = once(apartment.stdout as never, 'end')
    await apartment.remote.say('y'.repeat(100_000))
    await apartment.close()
    await ended
    expect(text).toBe(`${'y'.repeat(100_000)}\n`)
  })
})
