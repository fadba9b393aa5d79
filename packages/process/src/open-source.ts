/** What `Apartment.open` takes besides workers, once this package is imported. */
import { ChildProcess } from 'node:child_process'
import { registerSource } from '@flatshare/apartment/internal'
import { ChildSource, checkedChild } from './child-options.js'
import { addressing } from './parent-address.js'
import { connect, startLife } from './process-life.js'
import { ProcessThread } from './process-thread.js'
import { openSocket, SocketSource } from './socket-source.js'
import { channelOf } from './start-child.js'
import { SupervisedThread } from './supervised-thread.js'

registerSource<ChildSource>({
  test: (source): source is ChildSource => source instanceof ChildSource,
  async open(source, options) {
    const life = await startLife(source, options)
    const { restart, killTimeout } = source.settings
    if (restart) return new SupervisedThread(source, restart, options, life)
    return new ProcessThread(life, options, killTimeout)
  },
})

registerSource<SocketSource>({
  test: (source): source is SocketSource => source instanceof SocketSource,
  open: openSocket,
})

/** What a function that was given to `Apartment.open` has started. */
registerSource<ChildProcess>({
  test: (source): source is ChildProcess => source instanceof ChildProcess,
  around: addressing,
  async open(child, options) {
    const settings = checkedChild({}, false)
    const source = new ChildSource(() => child, {}, settings)
    const life = await connect(source, channelOf(child, settings.maxFrame), options)
    return new ProcessThread(life, options, settings.killTimeout)
  },
})
