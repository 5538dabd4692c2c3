/** A US keyboard: what every PC guest has below its input method, and what a Korean keyboard is too. */

const ROWS = [
  'Backquote`~', 'Digit11!', 'Digit22@', 'Digit33#', 'Digit44$', 'Digit55%', 'Digit66^', 'Digit77&', 'Digit88*', 'Digit99(', 'Digit00)', 'Minus-_', 'Equal=+',
  'BracketLeft[{', 'BracketRight]}', 'Backslash\\|', 'Semicolon;:', 'Quote\'"', 'Comma,<', 'Period.>', 'Slash/?',
  ...Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => `Key${letter.toUpperCase()}${letter}${letter.toUpperCase()}`),
]

/** `KeyboardEvent.code` of each printing key: what it writes alone and with Shift. */
export const BY_CODE: ReadonlyMap<string, readonly [plain: string, shifted: string]> = new Map([
  ...ROWS.map((row) => [row.slice(0, -2), [row.at(-2)!, row.at(-1)!]] as const),
  ['Space', [' ', ' ']] as const,
])

/** The key of each printable ASCII character, and whether Shift is held for it. */
export const BY_CHARACTER: ReadonlyMap<string, readonly [code: string, shifted: boolean]> = new Map(
  [...BY_CODE].flatMap(([code, pair]) => pair.map((character, n): [string, readonly [string, boolean]] => [character, [code, n === 1 && code !== 'Space']])),
)
