/** Two ends of a Unix socket, in a folder that only this user may enter. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of mode 0700, removed by its disposal. */
export function privateFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'flatshare-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export async function socketPair(): Promise<[Socket, Socket]> {
  using folder = privateFolder()
  const server = createServer()
  const path = join(folder.path, 'socket')
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const socket = connect(path)
  const other = await accepted
  if (socket.connecting) await new Promise((resolve) => socket.once('connect', resolve))
  server.close()
  return [socket, other]
}
