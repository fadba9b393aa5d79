import { Apartment, type LinkKind } from '@flatshare/apartment'
import { modelOf } from '@flatshare/core'
import { Progress } from '@flatshare/progress'
import { describe, expect, onTestFinished, test } from 'vitest'

type Work = typeof import('./crossing.js')

describe.each(['shared', 'port'] satisfies LinkKind[])('a progress over a link: %j', (link) => {
  const open = async () => {
    const apartment = await Apartment.open<Work>(new URL('./crossing.js', import.meta.url), { link })
    onTestFinished(() => apartment.terminate())
    return apartment
  }

  test('S34 arguments are the object itself: two apartments report, this thread watches', async () => {
    const [one, two] = await Promise.all([open(), open()])
    const progress = new Progress({ total: 2000, label: 'Copying' })
    const parts = [progress.child({ items: 500 }), progress.child({ items: 1500 })]
    const work = Promise.all([one.remote.copy(500, parts[0] as never), two.remote.copy(1500, parts[1] as never)])
    let last = 0
    for await (const { value } of progress.watch({ interval: 1 })) {
      expect(value).toBeGreaterThanOrEqual(last)
      last = value
    }
    expect([last, await work, progress.count, modelOf(progress)]).toEqual([1000, [500, 1500], 2000, 'free'])
  })

  test('S36 a child made there, at any depth, moves it here', async () => {
    const apartment = await open()
    const progress = new Progress({ total: 4 })
    expect(await apartment.remote.copyFolders([3, 700, 1, 50], progress as never)).toBe(754)
    expect([progress.count, progress.value]).toEqual([4, 1000])
  })

  test('S37 cancelled here, it ends there with a partial result; its signal aborts with the reason', async () => {
    const apartment = await open()
    const progress = new Progress({ total: 1e9 })
    const importer = await apartment.create('Importer', progress as never)
    expect(await importer.isOwn(progress as never)).toBe(true)
    const part = (await importer.part(0.5)) as unknown as Progress
    expect([part instanceof Progress, part.max]).toEqual([true, 500])
    const copied = apartment.remote.copy(1e9, part as never)
    for await (const { count } of progress.watch({ interval: 1 })) if (count > 0) break
    part.cancel(new RangeError('disk full'))
    const done = await copied
    expect(done).toBeGreaterThan(0)
    // The report that was told of the cancel had counted.
    expect(part.count).toBe(done + 1)
    expect(await importer.untilAborted()).toBe('disk full')
  })
})
