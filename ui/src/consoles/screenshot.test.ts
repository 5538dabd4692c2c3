import { expect, test } from 'vitest'

import { fileName, markLine } from './screenshot'

test('a file name that every system takes, on the pharmacies\' clock', () => {
  const at = new Date('2026-11-23T01:24:11Z')
  expect(fileName({ pharmacy: '강남온누리약국', vm: 'POS-1', by: '김OO', at })).toBe('강남온누리약국_POS-1_20261123-102411.png')
  expect(fileName({ pharmacy: '../a:b*', vm: 'x/y', by: '', at })).toBe('a-b_x-y_20261123-102411.png')
  expect(markLine({ pharmacy: '강남온누리약국', vm: 'POS-1', by: '김OO', at })).toContain('김OO  ·  ')
  expect(markLine({ pharmacy: '강남온누리약국', vm: 'POS-1', by: '김OO', at })).toContain('10:24:11')
})
