import type { ConsoleState } from '@/consoles/tabs'
import { Icon, Sign, type SignName } from '@/parts/Icon'

const SIGNS: Record<Exclude<ConsoleState, 'view_only'>, [SignName, string]> = {
  starting: ['turning', 'stop'],
  connecting: ['turning', 'stop'],
  connected: ['running', 'run'],
  reconnecting: ['turning', 'stop'],
  lost: ['cross', 'off'],
}

/** A console's state as its icon; the word stands beside it. */
export function ConsoleSign({ state }: { state: ConsoleState }) {
  if (state === 'view_only') return <span className="run row-flex"><Icon name="eye" /></span>
  const [sign, tone] = SIGNS[state]
  return <span className={`${tone} row-flex`}><Sign name={sign} /></span>
}
