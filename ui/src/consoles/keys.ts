/** Key combinations that a browser or its computer would keep for itself: X11 keysym and `KeyboardEvent.code`. */
export type Press = readonly [keysym: number, code: string]

const CTRL: Press = [0xffe3, 'ControlLeft']
const ALT: Press = [0xffe9, 'AltLeft']
const SUPER: Press = [0xffeb, 'MetaLeft']

export const MODIFIERS: readonly Press[] = [CTRL, [0xffe4, 'ControlRight'], ALT, [0xffea, 'AltRight'], [0xffe1, 'ShiftLeft'], [0xffe2, 'ShiftRight'], SUPER, [0xffec, 'MetaRight']]

export const CTRL_ALT_DEL: readonly Press[] = [CTRL, ALT, [0xffff, 'Delete']]
export const COMBINATIONS: readonly (readonly [label: string, keys: readonly Press[]])[] = [
  ['Alt + F4', [ALT, [0xffc1, 'F4']]],
  ['Alt + Tab', [ALT, [0xff09, 'Tab']]],
  ['Ctrl + Esc', [CTRL, [0xff1b, 'Escape']]],
  ['Ctrl + Shift + Esc', [CTRL, [0xffe1, 'ShiftLeft'], [0xff1b, 'Escape']]],
  ['Win', [SUPER]],
  ['Win + R', [SUPER, [0x72, 'KeyR']]],
  ['한/영', [[0xff31, 'Lang1']]],
  ['Esc', [[0xff1b, 'Escape']]],
  ['F11', [[0xffc8, 'F11']]],
  ['Ctrl + Alt + F1', [CTRL, ALT, [0xffbe, 'F1']]],
]
