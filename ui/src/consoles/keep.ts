/** Which consoles were open, so that a reload opens them again. Pure; kept in the browser tab's own storage. */
const STORAGE = 'pharmq.consoles.open'

/** VM ids in the order of the tabs, if `userId` had opened them. */
export function readKept(stored: string | null, userId: number): readonly number[] {
  try {
    const kept = JSON.parse(stored ?? 'null') as { user?: unknown; vms?: unknown } | null
    if (kept?.user !== userId || !Array.isArray(kept.vms)) return []
    return [...new Set(kept.vms.filter((id): id is number => Number.isSafeInteger(id) && id > 0))]
  } catch {
    return []
  }
}

export const keptConsoles = (userId: number): readonly number[] => readKept(sessionStorage.getItem(STORAGE), userId)

export function keepConsoles(userId: number | undefined, vms: readonly number[]): void {
  if (userId === undefined || vms.length === 0) sessionStorage.removeItem(STORAGE)
  else sessionStorage.setItem(STORAGE, JSON.stringify({ user: userId, vms }))
}

/** The members with one of them moved to another place. */
export function moved<T>(members: readonly T[], from: number, to: number): T[] {
  const next = [...members]
  const [one] = next.splice(from, 1)
  if (one !== undefined) next.splice(Math.max(0, Math.min(next.length, to)), 0, one)
  return next
}
