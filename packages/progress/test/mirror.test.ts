import { fork } from 'node:child_process'
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { mirroredProgress, mirrorProgress, Progress } from '@flatshare/progress'
import { describe, expect, it, onTestFinished } from 'vitest'

/** Another process, with a port to it that is bridged by what carries JSON alone. */
function startProcess(what: string) {
  const child = fork(new URL('./threads/other-process.js', import.meta.url), [what])
  onTestFinished(() => void child.kill())
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port1.close())
  port1.on('message', (message) => child.send(message))
  const said: Record<string, any> = {}
  let hear = () => {}
  let messages = 0
  child.on('message', (message: Record<string, unknown>) => {
    if ('progress' in message) {
      messages++
      port1.postMessage(message)
    } else Object.assign(said, message)
    hear()
  })
  child.on('exit', () => port1.close())
  const until = async (what: string) => {
    while (!(what in said)) await new Promise<void>((resolve) => (hear = resolve))
    return said[what]
  }
  return { child, port: port2, until, messages: () => messages }
}

describe('a progress over a port where memory is not shared', () => {
  it('S34 S36 adds up what both processes and all their parts have counted, and ends in both', async () => {
    const whole = new Progress({ total: 1000, label: 'Importing' })
    const there = whole.child({ items: 500, label: 'there' })
    const here = whole.child({ items: 500 })
    const other = startProcess('work')
    mirrorProgress(there, other.port, { interval: 5 })
    expect(await other.until('start')).toEqual({ label: 'there', min: 1, max: 500, total: 500, count: 0 })
    here.advance(500)
    let last = 0
    for await (const { value } of whole.watch({ interval: 1 })) {
      expect(value).toBeGreaterThanOrEqual(last)
      last = value
    }
    expect([last, whole.count, there.count]).toEqual([1000, 1000, 500])
    expect(await other.until('through')).toBe(500)
    // Some, not one for each of its reports.
    expect(other.messages()).toBeLessThan(100)
  })

  it('S37 is cancelled from there, with the reason, and leaves a partial result', async () => {
    const whole = new Progress({ total: 100 })
    const there = whole.child({ items: 50 })
    const other = startProcess('cancel')
    mirrorProgress(there, other.port)
    for await (const _ of there.watch());
    expect([whole.cancelled, there.count, whole.count]).toEqual([true, 7, 7])
    expect(whole.signal.reason).toMatchObject({ name: 'RangeError', message: 'disk full', disk: 'C' })
  })

  it('S37 is cancelled from here: every report there answers false', async () => {
    const progress = new Progress({ total: 1e9 })
    const other = startProcess('until cancelled')
    mirrorProgress(progress, other.port, { interval: 5 })
    for await (const { count } of progress.watch({ interval: 1 })) if (count > 0) break
    progress.cancel(new RangeError('disk full'))
    expect(await other.until('stopped')).toEqual({ name: 'RangeError', message: 'disk full' })
  })

  it('S37 is cancelled there when the port closes before its end', async () => {
    const { port1, port2 } = new MessageChannel()
    const near = new Progress({ total: 10, min: 0, max: 10 })
    const mirror = mirrorProgress(near, port1)
    const far = await mirroredProgress(port2)
    mirror[Symbol.dispose]()
    far.advance(3)
    port1.close()
    for await (const _ of far.watch());
    expect(far.signal.reason).toMatchObject({ name: 'DisconnectedError' })
    expect([near.cancelled, near.count]).toEqual([false, 0])
  })

  it('S35 limits, totals and values that are reported at one end are known at the other', async () => {
    const { port1, port2 } = new MessageChannel()
    const near = new Progress()
    near.report(100)
    mirrorProgress(near, port1, { interval: 1 })
    const far = await mirroredProgress(port2, { interval: 1 })
    expect([far.value, far.total, far.getFlags()]).toEqual([100, 0, 1])
    const reaches = async (progress: Progress, reached: () => boolean) => {
      for await (const _ of progress.watch({ interval: 1 })) if (reached()) break
    }
    far.report(300, 3, 10)
    await reaches(near, () => near.value === 300 && near.total === 10)
    expect([near.count, near.total]).toEqual([3, 10])
    near.setLimits(0, 2000)
    await reaches(far, () => far.max === 2000)
    near.report(1500, 8, 10)
    await reaches(far, () => far.count === 8)
    expect([far.value, far.total]).toEqual([1500, 10])
    far.done()
    for await (const _ of near.watch());
    expect([near.value, far.value]).toEqual([2000, 2000])
  })

  it('S37 says at once that the port was closed before', async () => {
    const { port1, port2 } = new MessageChannel()
    const closed = once(port2, 'close')
    port1.close()
    await closed
    await expect(mirroredProgress(port2)).rejects.toMatchObject({ name: 'DisconnectedError' })
  })

  it('S37 goes on at each end by itself once it was disposed of', async () => {
    const { port1, port2 } = new MessageChannel()
    const near = new Progress({ total: 10 })
    const mirror = mirrorProgress(near, port1)
    const far = await mirroredProgress(port2, { interval: 1 })
    mirror[Symbol.dispose]()
    // The end is told without delay, and after all else: when it has come, all has.
    const told = new Promise<void>((resolve) =>
      port1.on('message', ({ end }: { end?: string }) => {
        if (end) resolve()
      }),
    )
    far.setLimits(0, 5)
    far.advance(10)
    await told
    expect([near.count, near.min, near.max]).toEqual([0, 1, 1000])
    port1.close()
  })

  it('refuses what is no interval, and options that there are not', async () => {
    const { port1 } = new MessageChannel()
    expect(() => mirrorProgress(new Progress(), port1, { every: 1 } as never)).toThrow(/"every".* interval/)
    await expect(mirroredProgress(port1, { every: 1 } as never)).rejects.toThrow(TypeError)
    expect(() => mirrorProgress(new Progress(), port1, { interval: -1 })).toThrow(RangeError)
    await expect(mirroredProgress(port1, { interval: Number.NaN })).rejects.toThrow(RangeError)
  })
})
