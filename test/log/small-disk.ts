/** A disk that is soon full: a small file system in memory, which only an administrator can mount. */

import { spawnSync } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { folder } from './sample.ts'

const run = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0

/** Whether there can be one here; a test that needs it skips itself otherwise. */
export const canMount: boolean = process.platform === 'linux' && process.getuid?.() === 0 && probe()

export interface SmallDisk {
  readonly path: string
  resize(megabytes: number): void
}

/** It is gone after the test. */
export function smallDisk(megabytes: number): SmallDisk {
  const path = folder()
  if (!run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path)) throw new Error('It cannot be mounted.')
  // Lazily: the log may still be mapped.
  onTestFinished(() => void run('umount', '-l', path))
  return {
    path,
    resize(size) {
      if (!run('mount', '-o', `remount,size=${size}m`, path)) throw new Error('It cannot be resized.')
    },
  }
}

function probe(): boolean {
  const path = '/tmp'
  // In a namespace of its own, so that nothing of it is left.
  return run('unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs', path)
}
