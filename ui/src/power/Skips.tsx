import type { DryRun } from '@/api/types'
import { t } from '@/i18n'
import { Sign } from '@/parts/Icon'

import { skips } from './words'

/** Why some of the targets are left out. */
export function Skips({ items }: { items: DryRun['items'] }) {
  const left = skips(items)
  if (left.length === 0) return null
  return (
    <div className="power-skips">
      <Sign name="warning" />
      <ul>{left.map(([words, m]) => <li key={words}>{items.length > 1 && <span className="strong">{t('power.skipped', { n: m })}</span>} {words}</li>)}</ul>
    </div>
  )
}
