/** What the page does; `browser.test.ts` asks for the findings. */
import { Apartment } from '@flatshare/apartment'
import { currentThread, DisconnectedError, modelOf, onThreadExit, type ThreadExit } from '@flatshare/core'
import { Mutex } from '@flatshare/sync'
import { Account } from './account.js'
import type { Bank } from './bank.js'
import { useTower } from './bell.js'
import { newLibrary, visitLibrary } from './library.js'
import { meetFromPage, newMeeting, refusal } from './meeting.js'
import { usePost } from './post.js'

const open = (name: string) =>
  Apartment.open<Bank>(() => new Worker(new URL('./bank.js', import.meta.url), { type: 'module' }), { name })

async function find() {
  const exits: ThreadExit[] = []
  const heard = new Promise<void>((resolve) => {
    onThreadExit((exit) => {
      exits.push(exit)
      if (exits.length === 2) resolve()
    })
  })
  const page = { isMain: currentThread.isMain, canBlock: currentThread.canBlock, name: currentThread.name }

  const account = new Account()
  const [first, second] = await Promise.all([open('first'), open('second')])
  const told: number[] = []
  const tell = (times: number) => void told.push(times)
  await Promise.all([first.remote.earn(account, 50_000, tell), second.remote.earn(account, 50_000, tell)])
  for (let i = 0; i < 10; i++) account.deposit(1)

  const counter = await first.create('Counter')
  const count = await counter.add(5)

  const meeting = newMeeting()
  const [met, sawPage] = await Promise.all([first.remote.meet(meeting), meetFromPage(meeting)])
  const onPage = meeting.once.runSync(() => 'the page')

  const library = newLibrary()
  const [worked, visited] = await Promise.all([first.remote.workInLibrary(library), visitLibrary(library)])

  const post = await usePost(first)
  const tower = await useTower(first, second)

  const mutex = new Mutex()
  const canBlock = await second.remote.seize(mutex)
  const refused = refusal(mutex)
  const pending = counter.hang().catch((error: unknown) => error as DisconnectedError)
  const waiting = mutex.lock()
  await Promise.all([first.terminate(), second.terminate()])
  const lost = await pending
  using guard = await waiting
  await heard
  return {
    page,
    balance: account.balance,
    told,
    count,
    counterModel: modelOf(counter),
    workerCanBlock: canBlock,
    met: { ...met, sawPage, onPage },
    library: { worked, visited },
    post,
    tower,
    refused,
    lost: lost instanceof DisconnectedError && lost.mayHaveRun,
    abandoned: guard.abandoned,
    exits: exits.map(({ name }) => name).sort(),
  }
}

export type Findings = Awaited<ReturnType<typeof find>>

;(globalThis as { findings?: Promise<Findings> }).findings = find()
