import { conditionMutants } from './condition.mutants.js'
import { conditionScenarios, subject } from './condition.scenarios.js'
import { loadMutant } from './core-mutants.js'
import { makeEngine } from './engine.js'
import { explore, type Scenario } from './explore.js'
import { everyInterleaving, everyMutant } from './explored.js'

const walk = (scenario: Scenario) => explore(scenario, makeEngine)
const load = (mutant: (typeof conditionMutants)[number]) => loadMutant<typeof subject>('condition-core', mutant)

everyInterleaving('a condition', conditionScenarios, walk)
everyMutant(subject, conditionMutants, load, conditionScenarios, walk)
