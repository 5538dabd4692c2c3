import { expect, test } from 'vitest'

import { meaningOf } from './korean'

const down = { type: 'keydown', key: '', code: '', shiftKey: false, repeat: false, capsLock: false }

test('a local Hangul state does not reach the guest: it gets the key itself', () => {
  expect(meaningOf({ ...down, key: 'ㄱ', code: 'KeyR' }, 'lang1')).toEqual({ kind: 'as', key: 'r' })
  expect(meaningOf({ ...down, key: 'ㄲ', code: 'KeyR', shiftKey: true }, 'lang1')).toEqual({ kind: 'as', key: 'R' })
  expect(meaningOf({ ...down, key: 'Process', code: 'KeyK' }, 'lang1')).toEqual({ kind: 'as', key: 'k' })
  expect(meaningOf({ ...down, key: 'Process', code: 'KeyK', capsLock: true }, 'lang1')).toEqual({ kind: 'as', key: 'K' })
  expect(meaningOf({ ...down, key: 'Process', code: 'Digit2', shiftKey: true, capsLock: true }, 'lang1')).toEqual({ kind: 'as', key: '@' })
  expect(meaningOf({ ...down, key: 'Process', code: 'Space' }, 'lang1')).toEqual({ kind: 'as', key: ' ' })
})

test('한/영 and 한자 are pressed and let go at once; repeats and releases are nothing', () => {
  const tap = { kind: 'tap', press: [0xff31, 'Lang1'] }
  expect(meaningOf({ ...down, key: 'HangulMode', code: 'Lang1' }, 'lang1')).toEqual(tap)
  expect(meaningOf({ ...down, key: 'HangulMode', code: 'AltRight' }, 'lang1')).toEqual(tap)
  expect(meaningOf({ ...down, key: 'HangulMode', code: 'Lang1' }, 'right_alt')).toEqual({ kind: 'tap', press: [0xffea, 'AltRight'] })
  expect(meaningOf({ ...down, key: 'HanjaMode', code: 'ControlRight' }, 'lang1')).toEqual({ kind: 'tap', press: [0xff34, 'Lang2'] })
  expect(meaningOf({ ...down, key: 'HangulMode', code: 'Lang1', repeat: true }, 'lang1')).toEqual({ kind: 'drop' })
  expect(meaningOf({ ...down, type: 'keyup', key: 'HangulMode', code: 'AltRight' }, 'lang1')).toEqual({ kind: 'drop' })
})

test('everything else is left alone', () => {
  for (const one of [{ key: 'r', code: 'KeyR' }, { key: 'Alt', code: 'AltRight' }, { key: 'Process', code: 'ArrowLeft' }, { key: 'é', code: 'KeyE' }, { key: 'Enter', code: 'Enter' }]) {
    expect(meaningOf({ ...down, ...one }, 'lang1')).toEqual({ kind: 'pass' })
  }
  expect(meaningOf({ ...down, type: 'keyup', key: 'ㄱ', code: 'KeyR' }, 'lang1')).toEqual({ kind: 'pass' })
})
