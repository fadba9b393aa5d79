// The workspace as its scripts see it: where it is, which folders are packages, and which floor each is on.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Published packages by folder name, and the floor of each. A package may import only from lower floors. */
export const floors = {
  core: 0,
  sync: 1,
  'free-threaded': 2,
  'thread-aware': 2,
  apartment: 3,
  progress: 4,
  'advise-sink': 4,
  process: 4,
  flatshare: 5,
}

const subfolders = (folder) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(join(root, folder, entry.name, 'package.json')))
        .map((entry) => `${folder}/${entry.name}`)
    : []

/** Folders of the packages that are published, relative to the root: `packages/core`, … */
export const publishedFolders = () => subfolders('packages')

/** Every folder with a package.json, the root (`.`) included. */
export const workspaceFolders = () => ['.', ...publishedFolders(), ...subfolders('examples'), 'test', 'bench']

export const manifestOf = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
