/** Which rows a list shows, in which order. Pure but for the hook that keeps an order still under the pointer. */
import { useEffect, useState } from 'react'

export type Key = string | number | null | undefined

export const collator = new Intl.Collator('ko', { numeric: true })

/** Places of texts among each other. Comparing words costs 20 times what comparing numbers does, and a list of 24,000 is sorted again each second; its words hardly ever change. */
export class Places {
  #of = new Map<string, number>()

  of(texts: readonly (string | null)[]): (number | null)[] {
    const found: (number | null)[] = []
    for (const text of texts) {
      const place = text === null ? null : this.#of.get(text)
      if (place === undefined) return this.#learn(texts)
      found.push(place)
    }
    return found
  }

  #learn(texts: readonly (string | null)[]): (number | null)[] {
    const all = new Set(texts.filter((text) => text !== null))
    let place = 0
    let before: string | undefined
    this.#of = new Map([...all].sort(collator.compare).map((text) => {
      if (before !== undefined && collator.compare(before, text) !== 0) place += 1
      before = text
      return [text, place]
    }))
    return texts.map((text) => (text === null ? null : this.#of.get(text)!))
  }
}

const kept = new WeakMap<object, Places>()
function placesOf(key: object): Places {
  let places = kept.get(key)
  if (!places) kept.set(key, (places = new Places()))
  return places
}

/** Sorts by a key (a constant function: what its texts mean is remembered); unknown values come last in both directions, equal ones keep their order. */
export function ordered<T>(rows: readonly T[], key: (row: T) => Key, descending: boolean): T[] {
  const sign = descending ? -1 : 1
  const raw = rows.map((row) => key(row) ?? null)
  const keys = raw.some((value) => typeof value === 'string') ? placesOf(key).of(raw.map((value) => (value === null ? null : String(value)))) : (raw as (number | null)[])
  const order = rows.map((_, index) => index).sort((a, b) => {
    const x = keys[a]!
    const y = keys[b]!
    if (x === y) return a - b
    if (x === null) return 1
    if (y === null) return -1
    return sign * (x - y) || a - b
  })
  return order.map((index) => rows[index]!)
}

/** `"-cpu"` -> `["cpu", true]`. */
export const readSort = (sort: string): [string, boolean] => (sort.startsWith('-') ? [sort.slice(1), true] : [sort, false])

const sameIds = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((id, index) => id === b[index])

/**
 * What a list should show now. A live change waits while `held()` (the pointer is over the list); what the person asked
 * for (`asked`, any string that changes with filters and sort) comes at once. `same` (a constant function): nothing to
 * draw anew.
 */
export function useCalm<T>(value: T, asked: string, held: () => boolean, same: (a: T, b: T) => boolean): T {
  const [shown, setShown] = useState({ value, asked })
  if (shown.asked !== asked) setShown({ value, asked })
  useEffect(() => {
    const settle = () => {
      if (held()) return false
      setShown((before) => (same(before.value, value) && before.asked === asked ? before : { value, asked }))
      return true
    }
    if (settle()) return undefined
    const timer = setInterval(() => {
      if (settle()) clearInterval(timer)
    }, 500)
    return () => clearInterval(timer)
  }, [value, asked, held, same])
  return shown.asked === asked ? shown.value : value
}
export const useCalmIds = (ids: readonly number[], asked: string, held: () => boolean): readonly number[] => useCalm(ids, asked, held, sameIds)
