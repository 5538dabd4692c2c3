import { expect, test } from 'vitest'

import { moved, readKept } from './keep'
import { readPrefs } from './prefs'

test('only the same person gets the consoles back, and only what can be ids', () => {
  expect(readKept('{"user":3,"open":["5","shell-2","5","0",7,null,"x"]}', 3)).toEqual(['5', 'shell-2'])
  expect(readKept('{"user":4,"open":["5"]}', 3)).toEqual([])
  for (const stored of [null, '', 'null', '[]', '{"user":3}', '{"user":3,"open":7}']) expect(readKept(stored, 3)).toEqual([])
})

test('moving one member', () => {
  expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a'])
  expect(moved(['a', 'b', 'c'], 2, -1)).toEqual(['c', 'a', 'b'])
  expect(moved(['a', 'b'], 1, 9)).toEqual(['a', 'b'])
  expect(moved(['a', 'b'], 7, 0)).toEqual(['a', 'b'])
})

test('preferences of another version fall back one by one', () => {
  expect(readPrefs(null)).toEqual({ quality: 'balanced', way: 'keys', hangulKey: 'lang1', pace: 'quick' })
  expect(readPrefs('{"quality":"saving","way":"plain","pace":"slow"}')).toEqual({ quality: 'saving', way: 'keys', hangulKey: 'lang1', pace: 'slow' })
  expect(readPrefs('nonsense').quality).toBe('balanced')
  expect(readPrefs('null').quality).toBe('balanced')
})
