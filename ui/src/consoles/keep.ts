/** Which consoles were open, so that a reload opens them again. Pure; kept in the browser tab's own storage. */
import { placeOf } from './place'

const STORAGE = 'pharmq.consoles.open'

/** Their keys in the order of the tabs, if `userId` had opened them. */
export function readKept(stored: string | null, userId: number): readonly string[] {
  try {
    const kept = JSON.parse(stored ?? 'null') as { user?: unknown; open?: unknown } | null
    if (kept?.user !== userId || !Array.isArray(kept.open)) return []
    return [...new Set(kept.open.filter((key): key is string => placeOf(key) !== undefined))]
  } catch {
    return []
  }
}

export const keptConsoles = (userId: number): readonly string[] => readKept(sessionStorage.getItem(STORAGE), userId)

export function keepConsoles(userId: number | undefined, open: readonly string[]): void {
  if (userId === undefined || open.length === 0) sessionStorage.removeItem(STORAGE)
  else sessionStorage.setItem(STORAGE, JSON.stringify({ user: userId, open }))
}

/** The members with one of them moved to another place. */
export function moved<T>(members: readonly T[], from: number, to: number): T[] {
  const next = [...members]
  const [one] = next.splice(from, 1)
  if (one !== undefined) next.splice(Math.max(0, Math.min(next.length, to)), 0, one)
  return next
}
