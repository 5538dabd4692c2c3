import { describe, expect, test } from 'vitest'

import { ordered, Places } from './order'

interface Row { id: number; name: string | null; n?: number }
const name = (row: Row) => row.name
const n = (row: Row) => row.n
const rows: Row[] = [{ id: 1, name: 'P-10' }, { id: 2, name: null }, { id: 3, name: '나무약국' }, { id: 4, name: 'P-9' }, { id: 5, name: '가람약국' }, { id: 6, name: 'P-9' }]

describe('ordered', () => {
  test('texts stand as in a Korean list, numbers in them by value, unknown ones last both ways, equal ones as they were', () => {
    expect(ordered(rows, name, false).map((row) => row.id)).toEqual([5, 3, 4, 6, 1, 2])
    expect(ordered(rows, name, true).map((row) => row.id)).toEqual([1, 4, 6, 3, 5, 2])
  })
  test('a text that was never seen finds its place among those that are remembered', () => {
    expect(ordered([...rows, { id: 7, name: '나래약국' }], name, false).map((row) => row.id)).toEqual([5, 7, 3, 4, 6, 1, 2])
    expect(ordered(rows, name, false).map((row) => row.id)).toEqual([5, 3, 4, 6, 1, 2])
  })
  test('numbers by value', () => {
    const some = [{ id: 1, name: '', n: 10 }, { id: 2, name: '', n: 9 }, { id: 3, name: '' }]
    expect(ordered(some, n, false).map((row) => row.id)).toEqual([2, 1, 3])
    expect(ordered(some, n, true).map((row) => row.id)).toEqual([1, 2, 3])
  })
})

test('texts that a list does not tell apart have one place', () => {
  const [a, b, c] = new Places().of(['1', '01', '2'])
  expect(a).toBe(b)
  expect(c).toBeGreaterThan(a!)
})
