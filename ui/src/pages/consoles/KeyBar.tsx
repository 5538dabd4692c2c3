import { BAR_KEYS, BAR_MODIFIERS, FUNCTION_KEYS, HANJA, hangulPress, type Press } from '@/consoles/keys'
import { usePrefs } from '@/consoles/prefs'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'

import { TouchKeyboard } from './TouchKeyboard'

/** Under a console on a touch screen: the keys its own keyboard lacks. Modifiers wait for the next key. */
export function KeyBar({ tab }: { tab: ConsoleTab }) {
  return tab.kind === 'screen' ? <ScreenKeys tab={tab} /> : <TerminalKeys tab={tab} />
}

/** What a terminal sends for the keys that a phone's keyboard lacks. */
const BYTES: readonly (readonly [label: string, bytes: string])[] = [
  ['Esc', '\x1b'], ['Tab', '\t'], ['Ctrl-C', '\x03'], ['Ctrl-D', '\x04'], ['←', '\x1b[D'], ['↑', '\x1b[A'], ['↓', '\x1b[B'], ['→', '\x1b[C'], ['Enter', '\r'], ['PgUp', '\x1b[5~'], ['PgDn', '\x1b[6~'], ['Home', '\x1b[H'], ['End', '\x1b[F'],
]

function TerminalKeys({ tab }: { tab: ConsoleTab }) {
  const disabled = tab.state !== 'connected'
  return (
    <div className="key-bar" role="toolbar" aria-label={t('console.key_bar')}>
      <TouchKeyboard at={tab.key} disabled={disabled} />
      {BYTES.map(([label, bytes]) => <button key={label} type="button" className="btn" disabled={disabled} onPointerDown={(event) => event.preventDefault()} onClick={() => screenOf(tab.key)?.terminal?.send(bytes)}>{label}</button>)}
    </div>
  )
}

function ScreenKeys({ tab }: { tab: ConsoleTab }) {
  const { hangulKey } = usePrefs()
  const hands = () => screenOf(tab.key)?.hands
  const disabled = tab.state !== 'connected'
  const korean: readonly (readonly [string, Press])[] = [['한/영', hangulPress(hangulKey)], ['한자', HANJA]]
  // The phone's keyboard stays only while its field keeps the focus.
  const stay = (event: React.PointerEvent) => event.preventDefault()
  const key = (label: string, press: Press, name?: string) => (
    <button key={label} type="button" className="btn" disabled={disabled} aria-label={name} onPointerDown={stay} onClick={() => hands()?.tap(press)}>{label}</button>
  )
  return (
    <div className="key-bar" role="toolbar" aria-label={t('console.key_bar')}>
      {tab.zoomed && <button type="button" className="btn" onPointerDown={stay} onClick={() => hands()?.wholePicture()}><Icon name="fit" />{t('console.whole')}</button>}
      <TouchKeyboard at={tab.key} disabled={disabled} />
      {BAR_MODIFIERS.map(([label, press]) => (
        <button key={label} type="button" className="btn" disabled={disabled} aria-pressed={tab.held.includes(press[1] ?? '')} onPointerDown={stay} onClick={() => hands()?.hold(press)}>{label}</button>
      ))}
      {korean.map(([label, press]) => key(label, press))}
      {BAR_KEYS.map(([label, name, press]) => key(label, press, name && t(`console.key.${name}`)))}
      {FUNCTION_KEYS.map(([label, [press]]) => press && key(label, press))}
    </div>
  )
}
