import { serve } from '@flatshare/apartment'
import { Mailbox, Served } from './shared.js'

const served = {
  Mailbox,
  Served,
  resize: (width: number) => width * 2,
  classNames: () => [Mailbox.name, Served.name],
}
export type Module = typeof served

serve(served)
