// Installs the workspace's dependencies, unless they are there already.
//
// Needs only Node and npm. Speaks on standard error only, so that `npm start --silent -- FILE --json` prints one
// JSON document and nothing else; says nothing at all when there is nothing to do.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifestOf, root, workspaceFolders } from './workspace.js'

const PNPM = 'pnpm@10.34.9'
const stampFile = join(root, 'node_modules', '.flatshare-setup')

const stamp = fingerprint()
if (!isInstalled()) {
  console.error('Installing dependencies …')
  install()
  writeFileSync(stampFile, stamp)
}

/** Changes with the lockfile, with the settings of the package manager and with any package's manifest. */
function fingerprint() {
  const hash = createHash('sha256').update(PNPM)
  const inputs = [
    ...workspaceFolders().map((folder) => join(folder, 'package.json')),
    'pnpm-workspace.yaml',
    'pnpm-lock.yaml',
  ]
  for (const input of inputs) hash.update(`\0${input}\0`).update(readFileSync(join(root, input)))
  return hash.digest('hex')
}

function isInstalled() {
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) return false
  return workspaceFolders().every((folder) => {
    const { dependencies, devDependencies } = manifestOf(folder)
    const needsSome = Object.keys({ ...dependencies, ...devDependencies }).length > 0
    return !needsSome || existsSync(join(root, folder, 'node_modules'))
  })
}

function install() {
  const pnpm = ['install', '--frozen-lockfile', '--prod=false', '--reporter=append-only', '--loglevel=error']
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined
  const [command, ...args] = npm
    ? [process.execPath, npm, 'exec', '--yes', `--package=${PNPM}`, '--', 'pnpm', ...pnpm]
    : ['npx', '--yes', PNPM, ...pnpm]
  const result = spawnSync(command, args, {
    cwd: root,
    env: environment(),
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: !npm && process.platform === 'win32',
  })
  if (result.status === 0) return
  console.error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`)
  console.error(`Set-up failed: ${PNPM} could not install the dependencies (see above).`)
  process.exit(result.status || 1)
}

/** The caller's environment without what npm or a production shell would change about the install. */
function environment() {
  const env = { ...process.env, CI: 'true' }
  for (const name of ['NODE_ENV', 'npm_config_loglevel', 'npm_config_omit', 'npm_config_production', 'npm_config_json'])
    delete env[name]
  return env
}
