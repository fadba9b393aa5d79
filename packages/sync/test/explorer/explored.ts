/** The two tests of an algorithm: every scenario of it holds, and each of its mutants is found out. */
import { describe, expect, test } from 'vitest'
import type { Findings, Scenario } from './explore.js'

/** Walks through a scenario. */
export type Walk<S extends Scenario> = (scenario: S) => Findings

export function everyInterleaving<S extends Scenario>(
  what: string,
  scenarios: Readonly<Record<string, S>>,
  walk: Walk<S>,
): void {
  describe(`every interleaving of ${what} where`, () => {
    for (const [name, scenario] of Object.entries(scenarios)) {
      test(name, () => {
        const { violation, trace, states } = walk(scenario)
        if (process.env['EXPLORED']) console.log(name, states)
        expect(violation, trace?.join('\n')).toBeUndefined()
        expect(states).toBeGreaterThan(50)
      })
    }
  })
}

/** `subject` holds what the scenarios test: `load` gives what stands there instead while a mutant is walked through. */
export function everyMutant<T extends object, S extends Scenario, M extends { name: string; foundBy: string }>(
  subject: T,
  mutants: readonly M[],
  load: (mutant: M) => Promise<Partial<T>>,
  scenarios: Readonly<Record<string, S>>,
  walk: Walk<S>,
): void {
  describe('the explorer finds out that', () => {
    const whole = { ...subject }
    for (const mutant of mutants) {
      test(mutant.name, async () => {
        const broken = await load(mutant)
        for (const key of Object.keys(whole) as Array<keyof T>) subject[key] = broken[key]!
        try {
          expect(walk(scenarios[mutant.foundBy]!).violation).toBeTypeOf('string')
        } finally {
          Object.assign(subject, whole)
        }
      })
    }
  })
}
