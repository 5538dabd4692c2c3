import { Modal, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'

import type { DryRun, JobVerb } from '@/api/types'
import { t, tMaybe } from '@/i18n'
import { Failure } from '@/parts/Failure'
import { notifyDone, notifyFailed } from '@/parts/notify'

import { endAsk, usePowerAsk, type PowerAsk } from './ask'
import { choiceSearch, keepChoice } from './choice'
import { isHarmless, isTyped, mustType } from './order'
import { follow, plan, send } from './send'
import { Skips } from './Skips'
import { buttonWords, firstAnd, openWords, question } from './words'

import './power.css'

/** They need no question for one VM. */
const QUIET: ReadonlySet<JobVerb> = new Set(['start', 'resume'])

async function act({ order, send: otherwise, then }: PowerAsk): Promise<void> {
  const job = await (otherwise ? otherwise() : send(order))
  follow(job)
  if (job.counts.skipped < job.counts.total) notifyDone(t('power.sent', { verb: t(`verb.${order.how.verb}`), n: job.counts.total - job.counts.skipped }))
  then?.(job.id)
}

function TargetNames({ items }: { items: DryRun['items'] }) {
  return (
    <details className="power-targets">
      <summary>{t('power.targets')}</summary>
      <ul>{items.map((item) => <li key={item.vm_id}>{item.pharmacy_name} <span className="strong">{item.vm_name}</span></li>)}</ul>
    </details>
  )
}

/** From the quick question to the form with everything: waves, order, deadline. */
function More({ ask }: { ask: PowerAsk }) {
  const router = useRouter()
  if (!ask.vmIds) return null
  const go = () => {
    endAsk()
    keepChoice(ask.vmIds!)
    void router.navigate({ to: '/jobs/new', search: { verb: ask.order.how.verb, ...choiceSearch(ask.vmIds!) } })
  }
  return <button type="button" className="link power-more" onClick={go}>{t('power.more')}</button>
}

function Question({ ask, answer }: { ask: PowerAsk; answer: DryRun }) {
  const [typed, setTyped] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const doing = useMemo(() => answer.items.filter((item) => item.plan === 'do'), [answer])
  const n = doing.length
  const { how } = ask.order
  const cost = isHarmless(how) && how.verb !== 'onboot' ? undefined : tMaybe(`power.cost.${how.verb}`)
  const number = mustType(how, n, answer.open_pharmacies)
  const ready = isTyped(typed, number)
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
  return (
    <Modal opened onClose={endAsk} title={question(how.verb, doing)} size={480}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {n > 0 && (
          <p className="power-what">
            {n > 1 && <span>{firstAnd(doing)}</span>}
            {answer.open_pharmacies > 0 && <strong>{n > 1 && ' · '}{openWords(n, answer.open_pharmacies)}</strong>}
          </p>
        )}
        {n > 0 && cost && <p className="t2">{cost}</p>}
        {n > 1 && <TargetNames items={doing} />}
        <Skips items={answer.items} />
        <Failure error={error} />
        {n > 0 && number !== undefined && <TextInput label={t('confirm.type', { typed: number })} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} inputMode="numeric" autoComplete="off" data-autofocus />}
        <div className="form-foot">
          {n > 1 && <More ask={ask} />}
          <button type="button" className="btn" onClick={endAsk}>{t(n === 0 ? 'act.close' : 'act.cancel')}</button>
          {n > 0 && <button type="submit" className="btn main" disabled={!ready || busy} {...(number === undefined ? { 'data-autofocus': true } : {})}>{buttonWords(how.verb, n)}</button>}
        </div>
      </form>
    </Modal>
  )
}

function Asked({ ask }: { ask: PowerAsk }) {
  const { data, error } = useQuery({
    queryKey: ['power-plan', ask.order],
    queryFn: ({ signal }) => plan(ask.order, signal),
    gcTime: 0,
    staleTime: 0,
    refetchOnMount: 'always',
    retry: false,
  })
  if (data) return <Question ask={ask} answer={data} />
  if (!error) return null
  return <Modal opened onClose={endAsk} title={t(`verb.${ask.order.how.verb}`)} size={480}><Failure error={error} /></Modal>
}

/** Shows the question of the current ask; mounted once in the shell. Starting or resuming one VM needs no question. */
export function PowerLayer() {
  const ask = usePowerAsk()
  const quiet = ask !== null && ask.vmIds?.length === 1 && QUIET.has(ask.order.how.verb)
  useEffect(() => {
    if (!ask || !quiet) return
    endAsk()
    act(ask).catch(notifyFailed)
  }, [ask, quiet])
  if (!ask || quiet) return null
  return <Asked key={JSON.stringify(ask.order.body)} ask={ask} />
}
