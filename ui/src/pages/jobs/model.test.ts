import { expect, test } from 'vitest'

import type { Job } from '@/api/types'

import { countedOf, ended, isOver, lookAgain, merged, rate, retryable, statesOf, took } from './model'

const job = (id: number, state: Job['state'] = 'done', more: Partial<Job> = {}): Job =>
  ({ id, state, started_at: '2026-11-23T01:00:00Z', finished_at: null, counts: { queued: 1, running: 2, succeeded: 3, failed: 1, skipped: 0, unknown: 0, cancelled: 0, total: 7 }, ...more }) as Job

test('what the stream says wins over the page, newest first, under the filter', () => {
  const out = merged([job(3, 'running'), job(2, 'done')], [job(2, 'running'), job(1)], new Set(['done']))
  expect(out.map((one) => [one.id, one.state])).toEqual([[2, 'done'], [1, 'done']])
  expect(merged([job(3, 'running')], [], null)).toHaveLength(1)
})

test('who is told nothing by the stream looks again while something is under way', () => {
  expect(lookAgain(undefined, [job(1), job(2, 'queued')])).toBeGreaterThan(0)
  expect(lookAgain(job(2, 'queued'), [job(2, 'queued')])).toBe(false)
  expect(lookAgain(undefined, [job(1)])).toBe(false)
  expect(lookAgain(undefined, undefined)).toBe(false)
})

test('progress and duration', () => {
  expect(ended(job(1))).toBe(4)
  expect(isOver(job(1, 'running'))).toBe(false)
  expect(took(job(1), Date.parse('2026-11-23T01:00:09Z'))).toBe(9)
  expect(took(job(1, 'done', { finished_at: '2026-11-23T01:00:04Z' }), 0)).toBe(4)
  expect(took(job(1, 'queued', { started_at: null }), 0)).toBeNull()
})

test('rate and the time that is left, once there is something to tell it by', () => {
  const counts = { queued: 6, running: 0, succeeded: 3, failed: 1, skipped: 2, unknown: 0, cancelled: 0, total: 12 }
  const at = (seconds: number) => Date.parse('2026-11-23T01:00:00Z') + seconds * 1000
  expect(rate(job(1, 'running', { counts }), at(8))).toEqual({ perMinute: 30, left: 12 })
  expect(rate(job(1, 'running', { counts }), at(1))).toBeNull()
  expect(rate(job(1, 'running', { counts: { ...counts, queued: 9, succeeded: 0 } }), at(8))).toBeNull()
  expect(rate(job(1, 'done', { counts }), at(8))).toBeNull()
})

test('what may be tried again, and what an address may ask to see', () => {
  expect(retryable({ queued: 0, running: 0, succeeded: 3, failed: 1, skipped: 0, unknown: 0, cancelled: 2, total: 6 })).toEqual([['failed', 1], ['cancelled', 2]])
  expect(countedOf('nonsense')).toBeUndefined()
  expect(statesOf('running')).toEqual(['sending', 'watching'])
})
