/** Listens to a console's keys before noVNC does, and gives it what a Korean computer's keys mean. */
import { meaningOf } from './korean'
import type { Press } from './keys'
import { prefs } from './prefs'

/** `tap` sends a key down and up. */
export function correctKeys(well: HTMLElement, tap: (press: Press) => void): void {
  const hear = (event: KeyboardEvent) => {
    const { type, key, code, shiftKey, repeat } = event
    const capsLock = event.getModifierState('CapsLock')
    const meaning = meaningOf({ type, key, code, shiftKey, repeat, capsLock }, prefs().hangulKey)
    if (meaning.kind === 'pass') return
    event.preventDefault()
    event.stopImmediatePropagation()
    if (meaning.kind === 'tap') tap(meaning.press)
    if (meaning.kind !== 'as') return
    const { ctrlKey, altKey, metaKey, location } = event
    const modifierNumLock = event.getModifierState('NumLock')
    event.target?.dispatchEvent(new KeyboardEvent(type, { key: meaning.key, code, shiftKey, ctrlKey, altKey, metaKey, location, repeat, modifierCapsLock: capsLock, modifierNumLock, cancelable: true }))
  }
  well.addEventListener('keydown', hear, true)
  well.addEventListener('keyup', hear, true)
}
