import { expect, test } from 'vitest'

import { keyOf, keyOfSearch, placeOf, searchOf } from './place'

test('a key names a place and comes back from an address', () => {
  for (const place of [{ kind: 'screen', id: 12 }, { kind: 'terminal', id: 12 }, { kind: 'shell', id: 3 }] as const) {
    const key = keyOf(place)
    expect(placeOf(key)).toEqual(place)
    expect(keyOfSearch(JSON.parse(JSON.stringify(searchOf(key))))).toBe(key)
  }
  expect(searchOf('12')).toEqual({ vm: 12, at: undefined })
})

test('anything else names nothing', () => {
  for (const key of ['', '0', '-1', 'screen-1', 'shell-', 'shell-3x', 'terminal-01', 7, null, undefined]) expect(placeOf(key)).toBeUndefined()
  expect(keyOfSearch({ at: 'nonsense' })).toBeUndefined()
  expect(searchOf(undefined)).toEqual({ vm: undefined, at: undefined })
})
