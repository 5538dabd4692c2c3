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
export function TouchKeyboard({ vmId, disabled }: { vmId: number; disabled: boolean }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const take = (composing: boolean) => {
    const area = field.current
    if (!area || composing) return
    const hands = screenOf(vmId)?.hands
    const { value } = area
    area.value = REST
    if (value.length < REST.length) for (let n = value.length; n < REST.length; n++) hands?.tap(BACKSPACE)
    else if (value.slice(REST.length) === '\n') hands?.tap(RETURN)
    else if (value.length > REST.length) hands?.typeLetters(value.slice(REST.length))
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
