/** A program whose argument is the URL of its worker; it prints what it found. */
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Apartment } from '@flatshare/apartment'
import { Folder, Mailbox, MissingSubjectError, Point, Served } from './shared.js'
import type { Module } from './worker.js'

// In another order than the worker's, so that the minifier counts otherwise.
const own = [Point, MissingSubjectError, Served, Folder, Mailbox].map(({ name }) => name)

const apartment = await Apartment.open<Module>(() => new Worker(new URL(process.argv[2]!)), { name: 'mail' })
const mailbox = await apartment.create('Mailbox')
const byClass = await apartment.create(Mailbox)
const served = await apartment.create('Served')
const folder = await mailbox.folder()
const error = await mailbox.deliver('').catch((reason: unknown) => reason)
const point = await mailbox.move(new Point(4))
const unknown: unknown = await apartment.create(Served).then(
  () => 'created',
  (reason: Error) => reason.message,
)

console.log(
  JSON.stringify({
    own,
    theirs: await apartment.remote.classNames(),
    mailbox: inspect(mailbox),
    sameMailbox: (await mailbox.itself()) === mailbox,
    delivered: await byClass.deliver('Hello'),
    served: [inspect(served), await served.answer()],
    folder: [inspect(folder).replace(/<.*>/, '<>'), await folder.size()],
    resized: await apartment.remote.resize(4),
    error: error instanceof MissingSubjectError && [error.place, error.message],
    point: point instanceof Point && point.x,
    unknown,
  }),
)
await apartment.close()
