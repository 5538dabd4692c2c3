import { useRef } from 'react'

import { BACKSPACE, RETURN } from '@/consoles/keys'
import { screenOf } from '@/consoles/tabs'
import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'

/** Stands in the field so that there is always something for a deletion to delete, which is how it is noticed. */
const REST = '__'

/**
 * Brings up a phone's own keyboard, which needs a text field: what is typed there goes to the guest as keys.
 * Composed text (Hangul) goes when its composition ends.
 */
export function TouchKeyboard({ at, disabled }: { at: string; disabled: boolean }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const take = (composing: boolean) => {
    const area = field.current
    if (!area || composing) return
    const screen = screenOf(at)
    const { value } = area
    area.value = REST
    const text = value.slice(REST.length)
    if (screen?.terminal) screen.terminal.send(value.length < REST.length ? '\x7f'.repeat(REST.length - value.length) : text.replaceAll('\n', '\r'))
    else if (value.length < REST.length) for (let n = value.length; n < REST.length; n++) screen?.hands?.tap(BACKSPACE)
    else if (text === '\n') screen?.hands?.tap(RETURN)
    else if (text) screen?.hands?.typeLetters(text)
  }
  return (
    <span className="touch-keyboard">
      <button type="button" className="btn" disabled={disabled} onPointerDown={(event) => event.preventDefault()} onClick={() => field.current?.focus()}><Icon name="keyboard" />{t('console.touch_keyboard')}</button>
      <textarea
        ref={field} defaultValue={REST} aria-label={t('console.touch_keyboard')} autoCapitalize="off" autoComplete="off" autoCorrect="off" spellCheck={false} tabIndex={-1}
        onFocus={(event) => event.currentTarget.setSelectionRange(REST.length, REST.length)}
        onInput={(event) => take((event.nativeEvent as InputEvent).isComposing)}
        onCompositionEnd={() => take(false)}
      />
    </span>
  )
}
