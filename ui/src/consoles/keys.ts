/** Keys as RFB wants them, and combinations that a browser or its computer would keep for itself. */

/** X11 keysym and `KeyboardEvent.code`; without a code only the symbol is told. */
export type Press = readonly [keysym: number, code: string | null]

const CTRL: Press = [0xffe3, 'ControlLeft']
const ALT: Press = [0xffe9, 'AltLeft']
const SUPER: Press = [0xffeb, 'MetaLeft']
export const SHIFT: Press = [0xffe1, 'ShiftLeft']
export const RETURN: Press = [0xff0d, 'Enter']
export const TAB: Press = [0xff09, 'Tab']
export const BACKSPACE: Press = [0xff08, 'Backspace']
const ESCAPE: Press = [0xff1b, 'Escape']
const DELETE: Press = [0xffff, 'Delete']
export const HANJA: Press = [0xff34, 'Lang2']

/** Which key the guest takes for 한/영: keyboards with the key of that name, or those (most PCs') with it on the right Alt. */
export type HangulKey = 'lang1' | 'right_alt'
export const hangulPress = (key: HangulKey): Press => (key === 'lang1' ? [0xff31, 'Lang1'] : [0xffea, 'AltRight'])

export const MODIFIERS: readonly Press[] = [CTRL, [0xffe4, 'ControlRight'], ALT, [0xffea, 'AltRight'], SHIFT, [0xffe2, 'ShiftRight'], SUPER, [0xffec, 'MetaRight']]

export const CTRL_ALT_DEL: readonly Press[] = [CTRL, ALT, DELETE]
export type Combination = readonly [label: string, keys: readonly Press[]]
export const COMBINATIONS: readonly Combination[] = [
  ['Win', [SUPER]],
  ['Win + R', [SUPER, [0x72, 'KeyR']]],
  ['Win + L', [SUPER, [0x6c, 'KeyL']]],
  ['Alt + Tab', [ALT, TAB]],
  ['Alt + F4', [ALT, [0xffc1, 'F4']]],
  ['Ctrl + Esc', [CTRL, ESCAPE]],
  ['Ctrl + Shift + Esc', [CTRL, SHIFT, ESCAPE]],
  ['Esc', [ESCAPE]],
  ['Print Screen', [[0xff61, 'PrintScreen']]],
  ['Ctrl + Alt + F1', [CTRL, ALT, [0xffbe, 'F1']]],
]
export const FUNCTION_KEYS: readonly Combination[] = Array.from({ length: 12 }, (_, n) => [`F${n + 1}`, [[0xffbe + n, `F${n + 1}`]]] as const)

/** The bar of a phone: what its own keyboard lacks. Modifiers stay down until the next key. */
export const BAR_MODIFIERS: readonly (readonly [label: string, key: Press])[] = [['Ctrl', CTRL], ['Alt', ALT], ['Shift', SHIFT], ['Win', SUPER]]
export const BAR_KEYS: readonly (readonly [label: string, name: 'left' | 'up' | 'down' | 'right' | 'back' | undefined, key: Press])[] = [
  ['Esc', undefined, ESCAPE],
  ['Tab', undefined, TAB],
  ['Enter', undefined, RETURN],
  ['⌫', 'back', BACKSPACE],
  ['←', 'left', [0xff51, 'ArrowLeft']],
  ['↑', 'up', [0xff52, 'ArrowUp']],
  ['↓', 'down', [0xff54, 'ArrowDown']],
  ['→', 'right', [0xff53, 'ArrowRight']],
  ['Del', undefined, DELETE],
  ['Home', undefined, [0xff50, 'Home']],
  ['End', undefined, [0xff57, 'End']],
  ['PgUp', undefined, [0xff55, 'PageUp']],
  ['PgDn', undefined, [0xff56, 'PageDown']],
]
