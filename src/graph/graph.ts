/** Placeholder while the projection is being written: to be replaced whole. */
import type { Graph } from './contract.ts'
export async function openGraph(_options: { path: string; feed: SharedArrayBuffer; budget: number }): Promise<Graph> {
  throw new Error('no graph yet')
}
