/**
 * What a Korean computer's key events mean to the guest. The guest has an input method of its own, so it must get the
 * physical keys, whatever state the local one is in: a local Hangul state reports ㄱ (macOS), `Process` (an input method
 * that took the key) or nothing for the key R. And 한/영 and 한자 send no release on most keyboards. Pure.
 */
import { hangulPress, HANJA, type HangulKey, type Press } from './keys'
import { BY_CODE } from './us-keys'

export interface KeyFacts {
  type: string
  key: string
  code: string
  shiftKey: boolean
  repeat: boolean
  capsLock: boolean
}

export type Meaning =
  | { kind: 'pass' }
  | { kind: 'drop' }
  /** Pressed and let go at once. */
  | { kind: 'tap'; press: Press }
  /** The same event, with this `key`. */
  | { kind: 'as'; key: string }

const PASS: Meaning = { kind: 'pass' }
const HANGUL = /^[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]+$/

export function meaningOf({ type, key, code, shiftKey, repeat, capsLock }: KeyFacts, hangulKey: HangulKey): Meaning {
  const hangul = key === 'HangulMode' || code === 'Lang1'
  if (hangul || key === 'HanjaMode' || code === 'Lang2') {
    if (type !== 'keydown' || repeat) return { kind: 'drop' }
    return { kind: 'tap', press: hangul ? hangulPress(hangulKey) : HANJA }
  }
  if (type !== 'keydown' || (key !== 'Process' && key !== 'Unidentified' && !HANGUL.test(key))) return PASS
  const letters = BY_CODE.get(code)
  if (!letters) return PASS
  const upper = code.startsWith('Key') ? shiftKey !== capsLock : shiftKey
  return { kind: 'as', key: letters[upper ? 1 : 0] }
}
