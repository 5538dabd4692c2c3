/**
 * Text as keystrokes. RFB knows keys, not text, and what a guest makes of them differs:
 * - `keys`: the keys of a PC keyboard with Shift, Hangul by its two-set (두벌식) keys between two presses of 한/영. The only
 *   way into a QEMU guest: QEMU drops every symbol that its key map lacks, and takes a capital without Shift for a small one.
 * - `symbols`: each character as its X11 symbol, for servers that know Unicode ones.
 * - `plain`: the same, but only Latin-1: the picture of a container is drawn by vncterm, which takes nothing else.
 * Pure.
 */
import { hangulPress, RETURN, SHIFT, TAB, type HangulKey, type Press } from './keys'
import { BY_CHARACTER } from './us-keys'

export type Way = 'keys' | 'symbols' | 'plain'

export interface Plan {
  /** Each pressed in order and let go in the opposite one. */
  strokes: readonly (readonly Press[])[]
  /** Characters that cannot be typed this way, each once. */
  lost: readonly string[]
  /** Hangul is typed by keys: the guest has to be in its English state at the start. */
  toggles: boolean
}

const INITIALS = 'r R s e E f a q Q t T d w W c z x v g'.split(' ')
const VOWELS = 'k o i O j p u P h hk ho hl y n nj np nl b m ml l'.split(' ')
const FINALS = ' r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g'.split(' ')
/** U+3131 to U+3163: consonants, then the vowels in the order of a syllable's. */
const LONE = [...'r R rt s sw sg e E f fr fa fq ft fx fv fg a q Q qt t T d w W c z x v g'.split(' '), ...VOWELS]

/** The Latin letters on the two-set keys that write a Hangul character; `undefined` for any other character. */
export function twoSet(character: string): string | undefined {
  const point = character.codePointAt(0) ?? 0
  if (point >= 0x3131 && point <= 0x3163) return LONE[point - 0x3131]
  if (point < 0xac00 || point > 0xd7a3) return undefined
  const at = point - 0xac00
  return `${INITIALS[Math.floor(at / 588)]}${VOWELS[Math.floor(at / 28) % 21]}${FINALS[at % 28]}`
}

const LETTER = /^[A-Za-z]$/

function keyOf(character: string): readonly Press[] | undefined {
  const known = BY_CHARACTER.get(character)
  if (!known) return undefined
  const press: Press = [character.charCodeAt(0), known[0]]
  return known[1] ? [SHIFT, press] : [press]
}

function byKeys(text: string, hangulKey: HangulKey): Plan {
  const strokes: (readonly Press[])[] = []
  const lost = new Set<string>()
  const toggle = [hangulPress(hangulKey)]
  let korean = false
  let toggles = false
  for (const character of text) {
    const control = CONTROLS[character]
    const letters = control ? undefined : twoSet(character)
    const key = control ?? (letters === undefined ? keyOf(character) : undefined)
    if (!key && letters === undefined) {
      lost.add(character)
      continue
    }
    // Digits and signs are the same in both states; a Latin letter is not.
    if (letters === undefined ? korean && LETTER.test(character) : !korean) {
      strokes.push(toggle)
      korean = !korean
      toggles = true
    }
    if (letters === undefined) strokes.push(key!)
    else for (const letter of letters) strokes.push(keyOf(letter)!)
  }
  if (korean) strokes.push(toggle)
  return { strokes, lost: [...lost], toggles }
}

const CONTROLS: Readonly<Record<string, readonly Press[] | undefined>> = { '\n': [RETURN], '\t': [TAB] }

function bySymbols(text: string, all: boolean): Plan {
  const strokes: (readonly Press[])[] = []
  const lost = new Set<string>()
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0
    const printable = point >= 0x20 && !(point >= 0x7f && point < 0xa0)
    if (CONTROLS[character]) strokes.push(CONTROLS[character])
    else if (printable && (all || point < 0x100)) strokes.push([[point < 0x100 ? point : 0x01000000 | point, null]])
    else lost.add(character)
  }
  return { strokes, lost: [...lost], toggles: false }
}

export function planTyping(given: string, way: Way, hangulKey: HangulKey): Plan {
  // Text from a Mac comes with its syllables taken apart; spaces that only look different are spaces.
  const text = given.normalize('NFC').replaceAll(/\r\n?/g, '\n').replaceAll(/[\u00a0\u3000]/g, ' ')
  return way === 'keys' ? byKeys(text, hangulKey) : bySymbols(text, way === 'symbols')
}
