import { expect, test } from 'vitest'

import { inSight, rowAt } from './sight'

const even = (index: number) => index * 36
test('the row at a height, also where rows differ', () => {
  expect([-5, 0, 35, 36, 71, 9999].map((y) => rowAt(y, 10, even))).toEqual([0, 0, 0, 1, 1, 9])
  const heads = [0, 48, 112, 176, 224, 288]
  expect([47, 48, 111, 180, 300].map((y) => rowAt(y, 5, (index) => heads[index]!))).toEqual([0, 1, 1, 3, 4])
  expect(rowAt(10, 0, even)).toBe(0)
})

test('whole blocks of rows, some beyond each edge, never outside the list', () => {
  expect(inSight(0, 720, 100_000, even)).toEqual({ first: 0, end: 40 })
  expect(inSight(36 * 1000, 720, 100_000, even)).toEqual({ first: 984, end: 1040 })
  // Two rows on, still the same rows.
  expect(inSight(36 * 1002, 720, 100_000, even)).toEqual({ first: 984, end: 1040 })
  expect(inSight(36 * 99_990, 720, 100_000, even)).toEqual({ first: 99_972, end: 100_000 })
  expect(inSight(-300, 720, 3, even)).toEqual({ first: 0, end: 3 })
  expect(inSight(0, 720, 0, even)).toEqual({ first: 0, end: 0 })
})
