import { expect, test } from 'vitest'

import { asked, endOf, filterOf, startOf } from './search'

test('a day is a Korean one, with its last moment', () => {
  expect(new Date(startOf('2026-11-30')).toISOString()).toBe('2026-11-29T15:00:00.000Z')
  expect(endOf('2026-11-30')).toBe('2026-11-30T15:00:00.000Z')
})

test('an export asks for what the list asks for', () => {
  const query = asked({ person: '김', pharmacy_id: 7, from: '2026-11-01' }, ['power.*'])
  expect(filterOf(query)).toEqual({ person: '김', pharmacy_id: [7], kind: ['power.*'], since: '2026-11-01T00:00:00+09:00' })
  expect(filterOf(asked({}, undefined))).toEqual({})
})
