import { expect, test } from 'vitest'

import type { CalendarEntry, Schedule } from '@/api/schedule-types'
import { NO_FILTER, NO_TARGETS } from '@/power/order'

import { addDays, clusters, dayOf, draftOf, formOf, inUnit, isDay, lacks, mondayOf, newDraft, weekdayOf, weekOf, whenOf } from './model'

const all = { ...NO_TARGETS, filter: { ...NO_FILTER, type: ['pos' as const] } }
const draft = newDraft('shutdown', all)

test('a saved schedule opened and saved again is the same', () => {
  const form = {
    name: '야간 종료', note: '', verb: 'shutdown', force: true, timeout_s: 120, options: { canary: 3, order: ['pos', 'server'] },
    when: { rule: { kind: 'opening', edge: 'close', offset_min: 30, days: ['mon', 'tue'] }, zone: 'Asia/Seoul', from: '2026-12-01', until: null, except: ['2026-12-24'], holidays: 'skip', closed: 'run' },
    missed: { do: 'when_back', within_s: 7200 }, overlap: 'queue', enabled: false,
  }
  const kept = { ...form, targets: { vms: null, filter: { ...NO_FILTER, type: ['pos'], missing: null } } } as unknown as Schedule
  expect(formOf(draftOf(kept))).toEqual({ ...form, targets: { filter: { type: ['pos'] } } })
})

test('a filter for everything stays meant; VMs that are gone are left out', () => {
  const gone = { host_id: 1, vmid: 100, vm_id: 7, vm_name: 'POS', pharmacy_id: 1, pharmacy_name: 'A', gone: true }
  const base = { ...formOf(draft), targets: { vms: null, filter: { ...NO_FILTER, missing: null } } } as unknown as Schedule
  expect(lacks(draftOf(base))).toEqual(['name'])
  const named = { ...base, targets: { vms: [gone, { ...gone, vmid: 101, gone: false }], filter: null } } as unknown as Schedule
  expect(formOf(draftOf(named)).targets).toEqual({ vms: [{ host_id: 1, vmid: 101 }] })
})

test('before is negative, times are in order and once, opening hours are on the clock of Seoul', () => {
  const rule = (change: Partial<typeof draft.when>) => whenOf({ ...draft.when, ...change })
  expect(rule({ kind: 'opening', minutes: 30, zone: 'Europe/Berlin', closed: 'skip' })).toMatchObject({ rule: { offset_min: -30 }, zone: 'Asia/Seoul', closed: 'run' })
  expect(Object.is((rule({ kind: 'opening', minutes: 0 }).rule as { offset_min: number }).offset_min, 0)).toBe(true)
  expect(rule({ times: ['20:00', '', '08:30', '20:00'], days: ['fri', 'mon'] }).rule).toEqual({ kind: 'weekly', days: ['mon', 'fri'], times: ['08:30', '20:00'] })
  expect(rule({ kind: 'cron', expression: ' 30  8 * * 1-5 ' }).rule).toEqual({ kind: 'cron', expression: '30 8 * * 1-5' })
})

test('what lacks is named', () => {
  expect(lacks(newDraft('start'))).toEqual(['name', 'targets'])
  expect(lacks({ ...draft, name: 'x', when: { ...draft.when, days: [], times: [''] } })).toEqual(['days', 'times'])
  expect(lacks({ ...draft, name: 'x', when: { ...draft.when, kind: 'opening', minutes: null } })).toEqual(['minutes'])
})

test('days and weeks', () => {
  expect([addDays('2026-12-31', 1), mondayOf('2026-12-06'), mondayOf('2026-12-07'), weekdayOf('2026-12-06')]).toEqual(['2027-01-01', '2026-11-30', '2026-12-07', 6])
  expect(weekOf('2026-11-30').at(-1)).toBe('2026-12-06')
  expect([isDay('2026-12-25'), isDay('2026-13-01'), isDay('내일'), isDay(undefined)]).toEqual([true, false, false, false])
  expect([dayOf('2026-12-24T15:30:00Z'), dayOf('2026-12-24T15:30:00Z', 'UTC')]).toEqual(['2026-12-25', '2026-12-24'])
})

test('units', () => {
  expect([inUnit(3600), inUnit(5400), inUnit(172_800)]).toEqual([[1, 'h'], [90, 'm'], [2, 'd']])
})

test('many slots of one schedule on one day stand together, few stand alone', () => {
  const entry = (schedule_id: number, at: string, pharmacies: number | null = null) => ({ schedule_id, at, state: 'planned', trigger: 'slot', pharmacies }) as CalendarEntry
  const days = clusters([entry(1, '2026-12-24T22:00:00Z', 3), entry(1, '2026-12-24T23:00:00Z', 4), entry(1, '2026-12-25T00:00:00Z', 5), entry(2, '2026-12-24T23:30:00Z'), entry(2, '2026-12-25T23:30:00Z')])
  expect(days.get('2026-12-25')!.map(({ n, pharmacies, first }) => [first.schedule_id, n, pharmacies])).toEqual([[1, 3, 12], [2, 1, null]])
  expect(days.get('2026-12-26')!).toHaveLength(1)
})
