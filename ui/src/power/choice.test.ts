import { expect, test } from 'vitest'

import { choiceSearch, chosenIds, readKept, withChoice, type Kept } from './choice'

const ids = (n: number, from = 100_000): number[] => Array.from({ length: n }, (_, at) => from + at)
/** As a reload finds it. */
const reloaded = (kept: Kept): Kept => readKept(JSON.stringify(kept))

test('a few VMs stand in the address itself, which says them everywhere', () => {
  expect(choiceSearch([3, 1, 2])).toEqual({ vms: '3,1,2' })
  expect(chosenIds({ vms: '3,1,2' }, [])).toEqual([3, 1, 2])
  expect([choiceSearch([]), chosenIds({}, [])]).toEqual([{}, []])
  expect(withChoice([], ids(300))).toEqual([])
})

test('more than 1,500 VMs come back after a reload, all and in their order, by a short address', () => {
  const many = ids(1_600).toReversed()
  const search = choiceSearch(many)
  expect(search.vms).toBeUndefined()
  expect(new URLSearchParams({ ...search }).toString().length).toBeLessThan(60)
  expect(chosenIds(search, reloaded(withChoice([], many)))).toEqual(many)
})

test('whatever the number, an address stays below what proxies take', () => {
  for (const n of [1, 10, 100, 400, 500, 1_000, 5_000, 20_000]) expect(new URLSearchParams({ ...choiceSearch(ids(n, 1)) }).toString().length).toBeLessThanOrEqual(4_010)
})

test('an address from elsewhere finds nothing, never another choice', () => {
  const mine = withChoice([], ids(1_600))
  const other = ids(1_600).with(800, 7)
  expect(choiceSearch(other)).not.toEqual(choiceSearch(ids(1_600)))
  expect(chosenIds(choiceSearch(other), mine)).toBeUndefined()
  expect(chosenIds(choiceSearch(other), reloaded(withChoice(mine, other)))).toEqual(other)
})

test('some choices are kept, the same one once, the oldest go', () => {
  let kept: Kept = []
  for (let n = 0; n < 12; n++) kept = withChoice(kept, ids(1_600, 1 + n))
  kept = withChoice(kept, ids(1_600, 5))
  expect(kept).toHaveLength(10)
  expect(new Set(kept.map(([key]) => key)).size).toBe(10)
  expect(chosenIds(choiceSearch(ids(1_600, 5)), kept)).toHaveLength(1_600)
  expect(chosenIds(choiceSearch(ids(1_600, 1)), kept)).toBeUndefined()
})

test('what else stands in the storage is no choice', () => {
  for (const text of [null, '', 'x', '{}', '[1, ["a"], ["a", 1]]']) expect(readKept(text)).toEqual([])
})
