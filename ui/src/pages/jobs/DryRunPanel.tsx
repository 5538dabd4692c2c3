import { TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'

import type { DryRun, PlannedItem } from '@/api/types'
import { t, tMaybe } from '@/i18n'
import { count } from '@/i18n/format'
import { threeParts } from '@/parts/Failure'
import { State } from '@/parts/State'
import { isHarmless, isTyped, mustType, type How } from '@/power/order'
import { Skips } from '@/power/Skips'
import { buttonWords, firstAnd, itemError, openWords, question } from '@/power/words'

const STEP = 100

function Line({ item, waves, turns }: { item: PlannedItem; waves: boolean; turns: boolean }) {
  const error = itemError(item)
  const doing = item.plan === 'do'
  return (
    <li className={doing ? 'dry-line' : 'dry-line left-out'}>
      <span className="grow ellipsis"><span className="strong">{item.vm_name}</span> <span className="t2">{item.pharmacy_name}</span></span>
      {doing && waves && item.wave === 0 && <span className="tag">{t('jobs.canary')}</span>}
      {doing && turns && <span className="small t3 nowrap">{t('jobs.turn', { n: item.turn + 1 })}</span>}
      {doing ? item.open && <State sign="warning" tone="warn">{t('opening.open')}</State> : <span className="small t2">{error ? threeParts(error).title : '–'}</span>}
    </li>
  )
}

/** What would be done, in the order it would be done, then what is left out. */
function Lines({ items }: { items: readonly PlannedItem[] }) {
  const [shown, setShown] = useState(STEP)
  const sorted = useMemo(() => items.toSorted((a, b) => Number(a.plan === 'skip') - Number(b.plan === 'skip') || a.wave - b.wave || a.turn - b.turn), [items])
  const waves = items.some((item) => item.wave > 0)
  const turns = items.some((item) => item.turn > 0)
  return (
    <>
      <ul className="dry-lines" aria-label={t('jobs.dry_run')}>{sorted.slice(0, shown).map((item) => <Line key={item.vm_id} item={item} waves={waves} turns={turns} />)}</ul>
      {shown < sorted.length && <button type="button" className="btn" onClick={() => setShown(shown + STEP)}>{t('act.more_rows')} ({count(sorted.length - shown)})</button>}
    </>
  )
}

interface Props {
  how: How
  answer: DryRun
  /** The form has moved on since. */
  stale: boolean
  busy: boolean
  onSend: () => void
}

/** The answer of the dry run, and the button under it. */
export function DryRunPanel({ how, answer, stale, busy, onSend }: Props) {
  const [typed, setTyped] = useState('')
  const doing = useMemo(() => answer.items.filter((item) => item.plan === 'do'), [answer])
  const n = doing.length
  const first = doing.filter((item) => item.wave === 0).length
  const cost = isHarmless(how) && how.verb !== 'onboot' ? undefined : tMaybe(`power.cost.${how.verb}`)
  const number = mustType(how, n, answer.open_pharmacies)
  const places = new Set(doing.map((item) => item.pharmacy_id)).size
  return (
    <div className="form" aria-busy={stale}>
      <div role="status"><h3 className="dry-title">{question(how.verb, doing)}</h3></div>
      {n > 0 && (
        <p>
          {n > 1 && `${firstAnd(doing)} · ${t('vms.places', { n: places })}`}
          {answer.open_pharmacies > 0 && <strong>{n > 1 && ' · '}{openWords(n, answer.open_pharmacies)}</strong>}
        </p>
      )}
      {n > first && <p className="t2">{t('jobs.in_waves', { first, rest: n - first })}</p>}
      {n > 0 && cost && <p className="t2">{cost}</p>}
      <Skips items={answer.items} />
      <Lines items={answer.items} />
      {n > 0 && number !== undefined && <TextInput label={t('confirm.type', { typed: number })} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} inputMode="numeric" autoComplete="off" />}
      {n > 0 && <div className="form-foot"><button type="button" className="btn main" disabled={stale || busy || !isTyped(typed, number)} onClick={onSend}>{buttonWords(how.verb, n)}</button></div>}
    </div>
  )
}
