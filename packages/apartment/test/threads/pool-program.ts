/** A whole program that never closes its pool. */
import { ApartmentPool } from '@flatshare/apartment'

const pool = new ApartmentPool<typeof import('./pooled.js')>(new URL('./pooled.js', import.meta.url), { size: 2 })
console.log(await pool.map([1, 2, 3], (_renderer, x) => pool.remote.double(x)))
