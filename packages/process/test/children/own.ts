/** A program that somebody forks or spawns by himself. */
import { serve } from '@flatshare/apartment'
import '@flatshare/process'

process.on('message', (message: { mine?: string }) => {
  if (message.mine) process.send!({ yours: message.mine })
})

serve({
  greet: (name: string) => `hello ${name}`,
  pid: () => process.pid,
  echo: (value: unknown) => value,
  call: (callback: (n: number) => unknown) => callback(21),
  never: () => new Promise(() => {}),
})
