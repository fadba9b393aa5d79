// Checks what package.json files say against the floors: dependencies lead downwards, and versions are pinned.
import { basename } from 'node:path'
import { floors, manifestOf, publishedFolders, workspaceFolders } from './workspace.js'

/** The folder of one of our own packages, by its published name; undefined for anybody else's. */
const ownFolder = (dependency) =>
  dependency === 'flatshare' ? dependency : dependency.match(/^@flatshare\/(.+)$/)?.[1]

/** What is wrong with one published manifest, as sentences. */
export function faultsOf(folder, manifest) {
  const faults = []
  const name = basename(folder)
  const floor = floors[name]
  if (floor === undefined) return [`${folder}: no floor is given to it in scripts/workspace.js`]
  if (ownFolder(manifest.name ?? '') !== name) faults.push(`${folder}: its name is ${manifest.name}`)
  for (const kind of ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']) {
    for (const [dependency, version] of Object.entries(manifest[kind] ?? {})) {
      const other = ownFolder(dependency)
      if (other === undefined) continue
      if (!(floors[other] < floor)) faults.push(`${folder}: ${kind} lists ${dependency}, which is not on a lower floor`)
      if (version !== 'workspace:^') faults.push(`${folder}: ${dependency} should be "workspace:^", not "${version}"`)
    }
  }
  return faults
}

function unpinned(folder, manifest) {
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
    .filter(
      ([dependency, version]) => ownFolder(dependency) === undefined && !/^(npm:.+@)?\d+\.\d+\.\d+$/.test(version),
    )
    .map(([dependency, version]) => `${folder}: pin ${dependency} exactly, not "${version}"`)
}

if (import.meta.filename === process.argv[1]) {
  const faults = [
    ...publishedFolders().flatMap((folder) => faultsOf(folder, manifestOf(folder))),
    ...workspaceFolders().flatMap((folder) => unpinned(folder, manifestOf(folder))),
  ]
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
}
