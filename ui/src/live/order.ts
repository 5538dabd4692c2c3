/** Which rows a list shows, in which order. Pure but for the hook that keeps an order still under the pointer. */
import { useEffect, useState } from 'react'

export type Key = string | number | null | undefined

/** Sorts by a key; unknown values come last in both directions, equal ones keep their order. */
export function ordered<T>(rows: readonly T[], key: (row: T) => Key, descending: boolean): T[] {
  const sign = descending ? -1 : 1
  return rows.toSorted((a, b) => {
    const x = key(a)
    const y = key(b)
    if (x === y) return 0
    if (x === null || x === undefined) return 1
    if (y === null || y === undefined) return -1
    if (typeof x === 'number' && typeof y === 'number') return sign * (x - y)
    return sign * String(x).localeCompare(String(y), 'ko', { numeric: true })
  })
}

/** `"-cpu"` -> `["cpu", true]`. */
export const readSort = (sort: string): [string, boolean] => (sort.startsWith('-') ? [sort.slice(1), true] : [sort, false])

const same = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((id, index) => id === b[index])

/**
 * Ids as they should be shown now. A live change waits while `held()` (the pointer is over the list); what the person
 * asked for (`asked`, any string that changes with filters and sort) comes at once.
 */
export function useCalmIds(ids: readonly number[], asked: string, held: () => boolean): readonly number[] {
  const [shown, setShown] = useState({ ids, asked })
  if (shown.asked !== asked) setShown({ ids, asked })
  useEffect(() => {
    const settle = () => {
      if (held()) return false
      setShown((before) => (same(before.ids, ids) && before.asked === asked ? before : { ids, asked }))
      return true
    }
    if (settle()) return undefined
    const timer = setInterval(() => {
      if (settle()) clearInterval(timer)
    }, 500)
    return () => clearInterval(timer)
  }, [ids, asked, held])
  return shown.asked === asked ? shown.ids : ids
}
