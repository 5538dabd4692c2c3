import { expect, test } from 'vitest'

import { scrollFor, zoomOf } from './zoom'

test('what lies under the fingers stays there', () => {
  expect(scrollFor(0, 100, 1, 2)).toBe(100)
  expect(scrollFor(100, 100, 2, 4)).toBe(300)
  expect(scrollFor(300, 100, 4, 2)).toBe(100)
  expect(scrollFor(0, 0, 1, 3)).toBe(0)
})

test('nearly the whole picture is the whole picture; there is a largest size', () => {
  expect(zoomOf(0.3)).toBe(1)
  expect(zoomOf(1.05)).toBe(1)
  expect(zoomOf(2.5)).toBe(2.5)
  expect(zoomOf(40)).toBe(6)
})
