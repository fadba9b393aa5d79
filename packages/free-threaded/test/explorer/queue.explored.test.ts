import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { makeEngine } from '../../../sync/dist-test/explorer/engine.js'
import { explore } from '../../../sync/dist-test/explorer/explore.js'
import { everyInterleaving, everyMutant } from '../../../sync/dist-test/explorer/explored.js'
import { queueMutants } from './queue.mutants.js'
import { emptyQueue, type QueueScenario, queueScenarios, subject } from './queue.scenarios.js'

const walk = (scenario: QueueScenario) => explore(scenario, makeEngine, { mutate: emptyQueue(scenario.capacity) })

/** The compiled core with a line broken. */
async function load({ name, line, instead }: (typeof queueMutants)[number]): Promise<typeof subject> {
  const folder = new URL('../mutants/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const text = readFileSync(new URL('../../dist/containers/queue-core.js', import.meta.url), 'utf8')
  if (text.split(line).length !== 2) throw new Error(`queue-core.js has not one place to break for "${name}".`)
  const file = new URL(`queue-core-${name.replaceAll(/\W+/g, '-')}.js`, folder)
  writeFileSync(
    file,
    text.replace(line, () => instead),
  )
  return (await import(file.href)) as typeof subject
}

everyInterleaving('a shared queue', queueScenarios, walk)
everyMutant(subject, queueMutants, load, queueScenarios, walk)
