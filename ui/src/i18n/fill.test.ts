import { expect, test } from 'vitest'

import { en } from './en'
import { fill, particle } from './fill'
import { ko } from './ko'

test('particles follow the last sound', () => {
  expect(particle('약국', '을/를')).toBe('을')
  expect(particle('온누리', '을/를')).toBe('를')
  expect(particle('서울', '으로/로')).toBe('로')
  expect(particle('부산', '으로/로')).toBe('으로')
  expect(particle('KIOSK-2', '이/가')).toBe('가')
  expect(particle('POS-1', '으로/로')).toBe('로')
  expect(particle('POS-3', '은/는')).toBe('은')
  expect(particle('(강남점)', '과/와')).toBe('과')
})

test('a sentence is filled; what is missing shows as a dash', () => {
  expect(fill('{vm|을/를} {verb}할까요?', { vm: 'POS-1', verb: '종료' }, 'ko')).toBe('POS-1을 종료할까요?')
  expect(fill('{a} {b}', { a: 0 }, 'ko')).toBe('0 –')
  expect(fill('{n|host/hosts}', { n: 1 }, 'en')).toBe('1 host')
  expect(fill('{n|host/hosts}', { n: 2 }, 'en')).toBe('2 hosts')
})

const slots = (text: string) => [...new Set([...text.matchAll(/\{(\w+)/g)].map((match) => match[1]))].toSorted()

test('both languages fill the same slots', () => {
  // "3곳" and "3" say the same n in places where English needs no unit; a slot may be missing, never be unknown.
  const wrong = Object.keys(ko).filter((key) => {
    const known = slots(ko[key as keyof typeof ko])
    return slots(en[key as keyof typeof ko]).some((slot) => !known.includes(slot))
  })
  expect(wrong).toEqual([])
})
