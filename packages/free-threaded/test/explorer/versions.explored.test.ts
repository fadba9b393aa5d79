import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { makeEngine } from '../../../sync/dist-test/explorer/engine.js'
import { explore, type Scenario } from '../../../sync/dist-test/explorer/explore.js'
import { everyInterleaving, everyMutant } from '../../../sync/dist-test/explorer/explored.js'
import { versionMutants } from './versions.mutants.js'
import { subject, versionScenarios } from './versions.scenarios.js'

const walk = (scenario: Scenario) => explore(scenario, makeEngine)

/** The compiled protocol with a line broken. */
async function load({ name, line, instead }: (typeof versionMutants)[number]): Promise<typeof subject> {
  const folder = new URL('../mutants/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const dist = new URL('../../dist/', import.meta.url)
  const text = readFileSync(new URL('versions.js', dist), 'utf8')
  if (text.split(line).length !== 2) throw new Error(`versions.js has not one place to break for "${name}".`)
  const file = new URL(`versions-${name.replaceAll(/\W+/g, '-')}.js`, folder)
  writeFileSync(file, text.replace(line, () => instead).replaceAll(" from './", ` from '${dist.href}`))
  return (await import(file.href)) as typeof subject
}

everyInterleaving('versions and images', versionScenarios, walk)
everyMutant(subject, versionMutants, load, versionScenarios, walk)
