import { expect, test } from 'vitest'

import { queryString } from '@/api/client'
import type { Host, Pharmacy } from '@/api/types'

import { busiest, byRegion, pieces, problems, sameRows } from './dashboard/model'
import { isOf, kindsOf } from './events/kinds'
import { parseDates, parseDay, parseHours, writeDay, writeHours } from './pharmacies/hours'
import { layersOf } from './pharmacies/layers'

const pharmacy = (id: number, more: Partial<Pharmacy> = {}) =>
  ({ id, code: `P-${id}`, state: 'ok', opening: { state: 'open', from: null, to: null }, groups: [], host_ids: [id], ...more }) as Pharmacy
const host = (id: number, more: Partial<Host> = {}) => ({ id, status: 'online', since: null, cpu: null, memory_used: null, memory_total: null, ...more }) as Host

test('opening hours are understood as people write them', () => {
  expect(parseDay('09:00-13:00, 14:00~19:00')).toEqual([['09:00', '13:00'], ['14:00', '19:00']])
  expect(parseDay('9-19')).toEqual([['09:00', '19:00']])
  expect(parseDay('')).toEqual([])
  expect(parseDay('19-9')).toBeUndefined()
  expect(parseDay('25:00-26:00')).toBeUndefined()
  expect(writeDay([['09:00', '19:00']])).toBe('09:00-19:00')
  const hours = { mon: [['09:00', '19:00']] as [string, string][], tue: [], wed: [], thu: [], fri: [], sat: [], sun: [] }
  expect(parseHours(writeHours(hours))).toEqual({ hours, wrong: [] })
  expect(parseHours({ ...writeHours(hours), sun: 'x' }).wrong).toEqual(['sun'])
})

test('closing days: what is no date is named', () => {
  expect(parseDates('2026-12-25\n2026-12-24, 내일')).toEqual({ dates: ['2026-12-24', '2026-12-25'], wrong: ['내일'] })
})

test('the map keeps regions in their order, codes within', () => {
  const seoul = { id: 1, name: '서울', kind: 'region' } as const
  const busan = { id: 2, name: '부산', kind: 'region' } as const
  const regions = byRegion([pharmacy(10, { groups: [busan] }), pharmacy(2, { groups: [seoul] }), pharmacy(1, { groups: [seoul] }), pharmacy(3)], '기타')
  expect(regions.map((region) => [region.name, region.pharmacies.map((one) => one.id)])).toEqual([['서울', [1, 2]], ['부산', [10]], ['기타', [3]]])
})

test('problems: open before closed, newest first', () => {
  const hosts = new Map([[1, host(1, { since: '2026-11-23T01:00:00Z' })], [2, host(2, { since: '2026-11-23T02:00:00Z' })]])
  const found = problems(
    [pharmacy(1, { state: 'offline' }), pharmacy(2, { state: 'offline' }), pharmacy(3, { state: 'offline', opening: { state: 'closed', from: null, to: null } }), pharmacy(4, { state: 'warning' })],
    hosts,
  )
  expect(found.offlineOpen.map((one) => one.id)).toEqual([2, 1])
  expect(found.offlineClosed.map((one) => one.id)).toEqual([3])
  expect(found.warning.map((one) => one.id)).toEqual([4])
})

test('an offline host is never the busiest', () => {
  const rows = [host(1, { cpu: 0.2 }), host(2, { cpu: 0.9, status: 'offline' }), host(3, { cpu: 0.5 })]
  expect(busiest(rows, 'cpu', 5).map(([one]) => one.id)).toEqual([3, 1])
  expect(busiest(rows, 'memory', 5)).toEqual([])
})

test('the busiest few of many, worst first, of equals the first', () => {
  const rows = [0.3, 0.7, 0.1, 0.7, 0.9, 0.5].map((cpu, at) => host(at + 1, { cpu }))
  expect(busiest(rows, 'cpu', 3).map(([one]) => one.id)).toEqual([5, 2, 4])
})

test('a list in pieces, and which of them are the same', () => {
  const [a, b, c] = [{}, {}, {}]
  expect(pieces([a, b, c], 2)).toEqual([[a, b], [c]])
  expect(pieces([], 2)).toEqual([])
  expect([sameRows([a, b], [a, b]), sameRows([a, b], [a, c]), sameRows([a], [a, b])]).toEqual([true, false, false])
})

test('the chain is fine up to the broken layer and unknown behind it', () => {
  expect(layersOf({ reason: 'credential_refused' }).map(([, state]) => state)).toEqual(['ok', 'ok', 'bad', 'unknown'])
  expect(layersOf({ reason: 'timeout' }).map(([, state]) => state)).toEqual(['bad', 'unknown', 'unknown', 'unknown'])
  expect(layersOf({ reason: null }).every(([, state]) => state === 'ok')).toBe(true)
  expect(layersOf({ reason: 'never_checked' })[0]).toEqual(['connect', 'unknown'])
})

test('queries leave out what is empty and repeat lists', () => {
  expect(queryString({ q: '', status: ['a', 'b'], limit: 0, none: undefined })).toBe('?status=a&status=b&limit=0')
  expect(queryString({})).toBe('')
})

test('kind groups', () => {
  expect(kindsOf(undefined)).toBeUndefined()
  expect(kindsOf('console')).toEqual(['console.*'])
  expect(isOf('console.opened', ['console.*'])).toBe(true)
  expect(isOf('vm.status', ['console.*'])).toBe(false)
})
