/** The other name of an id that some old clients escape twice (rest-api.md §1.3). */

/** Null when that changes nothing. */
export function decodedAgain(params: Readonly<Record<string, string>>): Record<string, string> | null {
  const { id } = params
  if (id?.includes('%') !== true) return null
  try {
    return { ...params, id: decodeURIComponent(id) }
  } catch {
    return null
  }
}
