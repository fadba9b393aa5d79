// What a worker of a browser finds in its global scope: coincident looks for it while its module is loaded.
import { parentPort } from 'node:worker_threads'

const port = parentPort as unknown as MessagePort
globalThis.addEventListener = port.addEventListener.bind(port) as typeof globalThis.addEventListener
