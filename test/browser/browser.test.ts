/**
 * The same packages in a real browser, as a bundler's development server gives them to it: a cross-origin
 * isolated page, whose main thread may not block, and two Web Workers.
 *
 * It needs Chromium (on Debian: `apt-get install chromium`); CHROMIUM names another one. Where there is none
 * the test is left out, and says so.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Findings } from './page/page.js'

const executable =
  process.env['CHROMIUM'] ??
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
    .find((path) => existsSync(path))
if (!executable) console.warn('No Chromium was found: the browser tests are left out.')

describe.skipIf(!executable)('in a browser', () => {
  let server: ViteDevServer
  let browser: Browser
  let found: Findings

  beforeAll(async () => {
    server = await createServer({
      root: fileURLToPath(new URL('./page/', import.meta.url)),
      configFile: false,
      logLevel: 'error',
      // The tests' own modules, served as they are: a reload for newly found dependencies would start all anew.
      optimizeDeps: { noDiscovery: true },
      server: {
        headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
        fs: { strict: false },
        hmr: false,
        port: 0,
      },
      plugins: [
        {
          name: 'page',
          configureServer: ({ middlewares }) => {
            middlewares.use((request, response, next) => {
              if (request.url !== '/') return next()
              response.setHeader('Content-Type', 'text/html')
              response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
              response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
              response.end(
                '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
              )
            })
          },
        },
      ],
    })
    await server.listen()
    const { port } = server.httpServer!.address() as { port: number }
    browser = await chromium.launch({
      executablePath: executable!,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
    })
    const page = await browser.newPage()
    const failed = new Promise<never>((_, reject) => page.on('pageerror', reject))
    await page.goto(`http://localhost:${port}/`)
    const findings = page.waitForFunction(() => (globalThis as any).findings, null, { timeout: 60_000 })
    found = (await Promise.race([findings.then((handle) => handle.jsonValue()), failed])) as Findings
  }, 90_000)

  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  it('knows its threads', () => {
    expect(found.page).toEqual({ isMain: true, canBlock: false, name: 'main' })
    expect(found.workerCanBlock).toBe(true)
  })

  it('S3 a free-threaded object is the object itself on every thread: nothing is lost', () => {
    expect(found.balance).toBe(100_010)
  })

  it('S7 calls and callbacks are marshaled', () => {
    expect(found.count).toBe(5)
    expect(found.counterModel).toBe('apartment')
    expect(found.told).toEqual([50_000, 50_000])
  })

  it('meets a worker at every primitive: it awaits where that blocks', () => {
    expect(found.met).toEqual({
      generation: 0,
      name: 'ledger',
      result: 'the worker',
      sawPage: 'the page has seen 1',
      onPage: 'the worker',
    })
    expect(found.refused).toBe('CannotBlockError')
  })

  it('shares fields of every type, maps and queues with a worker', () => {
    expect(found.library).toEqual({
      worked: 'true true 1 255 -9223372036854775808',
      visited: [4000, 20, 'order 19', 1, 1, true],
    })
  })

  it('iterators, streams, transferred buffers, signals and names cross between a page and a worker', () => {
    expect(found.post).toMatchObject({
      letters: ['letter 0', 'letter 1', 'letter 2'],
      count: 100,
      ended: 2,
      shouted: ['ONE', 'TWO'],
      weight: 1000,
      left: 0,
      reason: 'TimeoutError',
      sameProxy: true,
      uncloneable: 'DataCloneError',
    })
  })

  it("S27 S29 events of a worker are heard on the page, and the page's on a worker: each once, in order, frozen", () => {
    expect(found.tower).toMatchObject({ hours: 5000, inOrder: true, isFrozen: true, looped: [1, 2, 3] })
    expect(found.tower.heard).toEqual(['struck on first', 'struck on first', 'struck on first'])
    expect(found.tower.outcome.stopped).toBe(false)
  })

  it('S32 dispatchPending() delivers at once what waits for the page', () => {
    expect(found.tower.dispatched).toEqual([0, 1, 1])
  })

  it('S34 S37 two workers report to one progress, the page watches and cancels', () => {
    expect(found.tower.climbed).toEqual([3000, 1000, 1000])
    expect(found.tower).toMatchObject({ neverBack: true, stopped: true })
  })

  it('S21 the page has a context of its own in each object', () => {
    expect(found.tower.visits).toEqual([2, 1])
  })

  it('a worker blocks for the answer of the page; the page may not, and says so', () => {
    expect(found.post).toMatchObject({ fromPage: 'CannotBlockError', fromWorker: 'the page' })
  })

  it('S13 a terminated worker is noticed: its calls reject, its lock is handed over, listeners hear of it', () => {
    expect(found.lost).toBe(true)
    expect(found.abandoned).toBe(true)
    expect(found.exits).toEqual(['first', 'second'])
  })
})
