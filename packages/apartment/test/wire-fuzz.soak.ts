import { it } from 'vitest'
import { haveStrangers } from './strangers.js'
import { garbageIsSurvived, garbageSettlesCalls } from './wire-fuzz.js'

haveStrangers()

it('a million messages without sense are survived', () => garbageIsSurvived(1_000_000))

it('a hundred thousand calls that are answered without sense settle', () => garbageSettlesCalls(100_000))
