import { expect, test } from 'vitest'

import type { Press } from './keys'
import { planTyping, twoSet } from './typing'
import { BY_CHARACTER } from './us-keys'

const spelled = (strokes: readonly (readonly Press[])[]) =>
  strokes.map((stroke) => stroke.map(([, code]) => code).join('+')).join(' ')

test('every printable ASCII character has a key', () => {
  for (let point = 0x20; point < 0x7f; point++) expect(BY_CHARACTER.has(String.fromCharCode(point)), String.fromCharCode(point)).toBe(true)
  expect(BY_CHARACTER.size).toBe(95)
  expect(BY_CHARACTER.get('"')).toEqual(['Quote', true])
  expect(BY_CHARACTER.get('0')).toEqual(['Digit0', false])
})

test('syllables as two-set keys', () => {
  expect([...'강남온누리약국'].map(twoSet).join('')).toBe('rkdskadhssnfldirrnr')
  expect([...'값닭뷁쐐'].map(twoSet).join(' ')).toBe('rkqt ekfr qnpfr Tho')
  expect([...'ㅋㅠㄳㅘ'].map(twoSet).join(' ')).toBe('z b rt hk')
  expect(twoSet('漢')).toBeUndefined()
  expect(twoSet('힣')).toBe('glg')
})

test('capitals and signs are told with Shift: QEMU takes them for small ones otherwise', () => {
  const { strokes, lost } = planTyping('aB!\n\t', 'keys', 'lang1')
  expect(spelled(strokes)).toBe('KeyA ShiftLeft+KeyB ShiftLeft+Digit1 Enter Tab')
  expect(strokes[1]).toEqual([[0xffe1, 'ShiftLeft'], [0x42, 'KeyB']])
  expect(lost).toEqual([])
})

test('Hangul stands between two presses of the key, and only a Latin letter needs it in between', () => {
  expect(spelled(planTyping('가 1나A다', 'keys', 'lang1').strokes)).toBe('Lang1 KeyR KeyK Space Digit1 KeyS KeyK Lang1 ShiftLeft+KeyA Lang1 KeyE KeyK Lang1')
  expect(spelled(planTyping('ㅃ', 'keys', 'right_alt').strokes)).toBe('AltRight ShiftLeft+KeyQ AltRight')
  expect(planTyping('pos 1', 'keys', 'lang1').toggles).toBe(false)
  expect(planTyping('약', 'keys', 'lang1').toggles).toBe(true)
})

test('what cannot be typed is named once and left out', () => {
  expect(planTyping('a漢b漢😀é', 'keys', 'lang1')).toMatchObject({ lost: ['漢', '😀', 'é'], strokes: { length: 2 } })
  expect(planTyping('é漢', 'plain', 'lang1')).toMatchObject({ lost: ['漢'], strokes: [[[0xe9, null]]] })
  expect(planTyping('한\u0007', 'symbols', 'lang1')).toMatchObject({ lost: ['\u0007'], strokes: [[[0x0100d55c, null]]] })
})

test('text from elsewhere: decomposed syllables, foreign line ends and spaces', () => {
  expect(planTyping('각'.normalize('NFD'), 'symbols', 'lang1').strokes).toEqual([[[0x0100ac01, null]]])
  expect(spelled(planTyping('a\r\nb\rc\u00a0\u3000', 'keys', 'lang1').strokes)).toBe('KeyA Enter KeyB Enter KeyC Space Space')
})
