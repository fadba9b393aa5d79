import { loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore, type Scenario } from './explore.js'
import { everyInterleaving, everyMutant } from './explored.js'
import { semaphoreMutants } from './semaphore.mutants.js'
import { semaphoreScenarios, subject } from './semaphore.scenarios.js'

const walk = (scenario: Scenario) => explore(scenario, makeEngine)
const load = (mutant: (typeof semaphoreMutants)[number]) => loadMutant<typeof subject>('semaphore-core', mutant)

everyInterleaving('a semaphore', semaphoreScenarios, walk)
everyMutant(subject, semaphoreMutants, load, semaphoreScenarios, walk)
