import { asyncMutexMutants, makeAsyncMutexMutant } from './async-mutex.mutants.js'
import { asyncMutexScenarios, longAsyncMutexScenarios, subject } from './async-mutex.scenarios.js'
import { makeEngine } from './engine.js'
import { explore, type Scenario } from './explore.js'
import { everyInterleaving, everyMutant } from './explored.js'

const walk = (scenario: Scenario) => explore(scenario, makeEngine)
const load = async (mutant: (typeof asyncMutexMutants)[number]) => ({
  makeWeightedSemaphore: await makeAsyncMutexMutant(mutant),
})

everyInterleaving('a semaphore of async-mutex', asyncMutexScenarios, walk)
everyMutant(subject, asyncMutexMutants, load, { ...asyncMutexScenarios, ...longAsyncMutexScenarios }, walk)
