import { beforeAll, expect, test } from 'vitest'

import { ago, bytes, clockTime, lasting, moment, percent, span } from './format'

beforeAll(async () => {
  globalThis.localStorage ??= { getItem: () => null, setItem: () => {} } as unknown as Storage
  globalThis.document ??= { documentElement: {} } as unknown as Document
  await (await import('.')).setLang('ko')
})

const NOW = Date.parse('2026-11-23T01:24:00Z')

test('a span has its two largest units', () => {
  expect(span(8)).toBe('8초')
  expect(span(82 * 60)).toBe('1시간 22분')
  expect(span(76 * 3600)).toBe('3일 4시간')
  expect(span(21 * 86400 + 5 * 3600)).toBe('21일')
  expect(span(null)).toBe('–')
})

test('what happened is "전", what lasts is "째"', () => {
  expect(ago('2026-11-23T01:21:00Z', NOW)).toBe('3분 전')
  expect(lasting('2026-11-23T01:21:00Z', NOW)).toBe('3분째')
  expect(ago('2026-11-23T01:24:00.500Z', NOW)).toBe('방금')
  expect(ago(null, NOW)).toBe('–')
})

test('sizes, shares', () => {
  expect(bytes(64 * 1024 ** 3)).toBe('64 GB')
  expect(bytes(1.5 * 1024 ** 3)).toBe('1.5 GB')
  expect(bytes(undefined)).toBe('–')
  expect(percent(0.914)).toBe('91%')
})

test('times are those of Seoul', () => {
  expect(clockTime('2026-11-23T01:24:00Z')).toBe('10:24')
  expect(moment('2026-11-22T16:00:00Z', NOW)).toBe('01:00')
  expect(moment('2026-11-20T08:00:00Z', NOW)).toBe('금요일')
})
