import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import type { JobVerb } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { useReady } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone } from '@/parts/notify'
import type { Order } from '@/power/ask'
import { keepChoice } from '@/power/choice'
import { PaceFields, VerbFields } from '@/power/form/HowFields'
import { JOB_VERBS, targetsOf, verbOf } from '@/power/form/initial'
import { useSettled } from '@/power/form/settled'
import { TargetFields } from '@/power/form/TargetFields'
import { hasTargets, howBody, howOf, isSnapshot, isTold, privilegeOf, searchOf, targetsBody, type How, type Targets } from '@/power/order'
import { follow, plan, send } from '@/power/send'

import { DryRunPanel } from './DryRunPanel'
import { Parts } from './Parts'

import './jobs.css'

const orderOf = (how: How, targets: Targets): Order => ({ how, body: { ...howBody(how), ...targetsBody(targets) } })

/** Complete enough for the server to say what would be done. */
const isAskable = (how: How, targets: Targets): boolean => hasTargets(targets) && isTold(how)

function Form() {
  const search = useSearch({ from: '/app/jobs/new' })
  const navigate = useNavigate()
  const [how, setHow] = useState(() => howOf(verbOf(search.verb) ?? 'shutdown'))
  const [targets, setTargets] = useState(() => targetsOf(search))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const order = orderOf(how, targets)
  const settled = useSettled({ how, targets })
  const asked = orderOf(settled.how, settled.targets)
  const askable = isAskable(how, targets)
  const dry = useQuery({
    queryKey: ['dry-run', asked.body, asked.how.verb],
    queryFn: ({ signal }) => plan(asked, signal),
    enabled: askable && isAskable(settled.how, settled.targets),
    placeholderData: keepPreviousData,
    refetchInterval: 15_000,
    retry: false,
  })
  const stale = dry.isPlaceholderData || JSON.stringify(asked) !== JSON.stringify(order)
  // The address follows, so that the form can be sent to a colleague or kept as a bookmark.
  const address = (verb: JobVerb, next: Targets) => {
    keepChoice(next.vms.map((vm) => vm.vm_id))
    void navigate({ to: '/jobs/new', search: { verb, ...searchOf(next) }, replace: true })
  }
  const may = useMay(privilegeOf(how.verb))
  const run = async () => {
    setBusy(true)
    setError(undefined)
    try {
      const job = await send(order)
      follow(job)
      notifyDone(t('power.sent', { verb: t(`verb.${how.verb}`), n: job.counts.total - job.counts.skipped }))
      void navigate({ to: '/jobs', search: { job: job.id } })
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <div className="order-page">
      <form className="panel panel-body form order-form" aria-label={t('jobs.new')} onSubmit={(event) => event.preventDefault()}>
        <VerbFields verbs={JOB_VERBS} how={how} onChange={(next) => {
          setHow(next)
          if (next.verb !== how.verb) address(next.verb, targets)
        }} />
        <TargetFields targets={targets} onChange={(next) => {
          setTargets(next)
          address(how.verb, next)
        }} />
        <PaceFields how={how} onChange={setHow} />
      </form>
      <section className="panel order-answer" aria-labelledby="dry-title">
        <header><h2 id="dry-title">{t('jobs.dry_run')}</h2><Link className="small" to="/schedules/new" search={{ verb: how.verb, ...searchOf(targets) }}>{t('schedules.instead')}</Link></header>
        <div className="panel-body form">
          {!askable && <p className="t2">{t(!hasTargets(targets) ? 'jobs.dry_first' : isSnapshot(how.verb) ? 'jobs.dry_snapshot' : 'schedules.lacks.how')}</p>}
          {!may && <p className="warn">{t('jobs.may_not')}</p>}
          <Failure error={askable ? dry.error : undefined} />
          <Failure error={error} />
          {askable && !dry.error && dry.data && <DryRunPanel key={how.verb} how={how} answer={dry.data} stale={stale} busy={busy || !may} onSend={() => void run()} />}
          {askable && dry.isPending && <p className="t2" role="status">{t('jobs.dry_running')}</p>}
        </div>
      </section>
    </div>
  )
}

/** A job with everything that may be said about it, and what it would do beside it. */
export function NewJobPage() {
  const ready = useReady()
  return (
    <main className="page" aria-busy={!ready}>
      <div className="page-head"><h1>{t('jobs.new')}</h1><span className="grow" /><Link className="btn" to="/jobs"><Icon name="left" />{t('jobs.title')}</Link></div>
      <Parts at="/jobs" />
      {ready ? <Form /> : <p className="t3" role="status">{t('link.connecting')}</p>}
    </main>
  )
}
