import { Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useState } from 'react'

import type { Verb } from '@/api/types'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { Failure, threeParts } from '@/parts/Failure'
import { Sign } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

import { endAsk, usePowerAsk, type PowerAsk } from './ask'
import { plan, send, type Plan } from './send'
import { itemError } from './words'

import './power.css'

/** They take nothing away from anybody. */
const HARMLESS: ReadonlySet<Verb> = new Set(['start', 'resume'])
/** More targets than this are confirmed by typing their number. */
const MANY = 10

async function act({ verb, vmIds, then }: PowerAsk): Promise<void> {
  const job = await send(verb, vmIds)
  if (job.counts.skipped < job.counts.total) notifyDone(t('power.sent', { verb: t(`verb.${verb}`), n: job.counts.total - job.counts.skipped }))
  then?.(job.id)
}

/** Why some are left out, the most frequent first. */
function skips(items: Plan['items']): [words: string, n: number][] {
  const counts = new Map<string, number>()
  for (const item of items) {
    if (item.plan === 'do') continue
    const error = itemError(item)
    const words = error ? threeParts(error).title : '–'
    counts.set(words, (counts.get(words) ?? 0) + 1)
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])
}

function Targets({ items }: { items: Plan['items'] }) {
  return (
    <details className="power-targets">
      <summary>{t('power.targets')}</summary>
      <ul>{items.map((item) => <li key={item.vm_id}>{item.pharmacy_name} <span className="strong">{item.vm_name}</span></li>)}</ul>
    </details>
  )
}

function Question({ ask, answer }: { ask: PowerAsk; answer: Plan }) {
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const doing = useMemo(() => answer.items.filter((item) => item.plan === 'do'), [answer])
  const left = useMemo(() => skips(answer.items), [answer])
  const n = doing.length
  const verb = t(`verb.${ask.verb}`)
  const first = doing[0]
  const gentle = HARMLESS.has(ask.verb)
  const number = n > MANY || (!gentle && answer.open_pharmacies > 0) ? String(n) : undefined
  // Full-width digits of a Korean keyboard count as digits.
  const ready = number === undefined || typed.normalize('NFKC').replaceAll(/[^\d]/g, '') === number
  const submit = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (!ready || busy) return
    setBusy(true)
    setError(undefined)
    try {
      await act(ask)
      endAsk()
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  const title = n === 1 && first ? t('power.ask', { name: `${first.pharmacy_name} ${first.vm_name}`, verb }) : t('power.ask_many', { n: count(n), verb })
  return (
    <Modal opened onClose={endAsk} title={n === 0 ? t('power.nothing', { verb }) : title} size={480}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {n > 0 && (
          <p className="power-what">
            {n > 1 && first && <span>{t('power.first_and', { name: `${first.pharmacy_name} ${first.vm_name}`, n: n - 1 })}</span>}
            {answer.open_pharmacies > 0 && <strong>{n > 1 && ' · '}{n === 1 ? t('power.open_one') : t('power.open_many', { n: answer.open_pharmacies })}</strong>}
          </p>
        )}
        {n > 0 && !gentle && <p className="t2">{t(`power.cost.${ask.verb as 'shutdown' | 'stop' | 'reboot' | 'reset' | 'suspend'}`)}</p>}
        {n > 1 && <Targets items={doing} />}
        {left.length > 0 && (
          <div className="power-skips">
            <Sign name="warning" />
            <ul>{left.map(([words, m]) => <li key={words}>{answer.items.length > 1 && <span className="strong">{t('power.skipped', { n: m })}</span>} {words}</li>)}</ul>
          </div>
        )}
        <Failure error={error} />
        {n > 0 && number !== undefined && <TextInput label={t('confirm.type', { typed: number })} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} inputMode="numeric" autoComplete="off" data-autofocus />}
        <div className="form-foot">
          <button type="button" className="btn" onClick={endAsk}>{t(n === 0 ? 'act.close' : 'act.cancel')}</button>
          {n > 0 && <button type="submit" className="btn main" disabled={!ready || busy} {...(number === undefined ? { 'data-autofocus': true } : {})}>{n === 1 ? verb : t('power.button_many', { n: count(n), verb })}</button>}
        </div>
      </form>
    </Modal>
  )
}

function Asked({ ask }: { ask: PowerAsk }) {
  const { data, error } = useQuery({
    queryKey: ['power-plan', ask.verb, ask.vmIds],
    queryFn: ({ signal }) => plan(ask.verb, ask.vmIds, signal),
    gcTime: 0,
    staleTime: 0,
    refetchOnMount: 'always',
    retry: false,
  })
  if (data) return <Question ask={ask} answer={data} />
  if (!error) return null
  return <Modal opened onClose={endAsk} title={t(`verb.${ask.verb}`)} size={480}><Failure error={error} /></Modal>
}

/** Shows the question of the current `askPower`; mounted once in the shell. Starting or resuming one VM needs no question. */
export function PowerLayer() {
  const ask = usePowerAsk()
  const quiet = ask !== null && ask.vmIds.length === 1 && HARMLESS.has(ask.verb)
  useEffect(() => {
    if (!ask || !quiet) return
    endAsk()
    act(ask).catch(notifyFailed)
  }, [ask, quiet])
  if (!ask || quiet) return null
  return <Asked key={`${ask.verb}-${ask.vmIds.join()}`} ask={ask} />
}
