/** That nothing was changed: the check, the signed head to note elsewhere, what is kept and where it is forwarded. */
import { NumberInput, TextInput } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { CheckReport, CheckState, Finding, ForwardState, RetentionState, SignedHead } from '@/api/audit-types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { count, day, dayAndTime } from '@/i18n/format'
import { Ago, Progress } from '@/parts/bits'
import { CodeFailure, Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'
import { useSettingsForm } from '@/parts/settings-form'
import { State } from '@/parts/State'

import { headLine } from './words'

async function copy(line: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(line)
    notifyDone(t('act.copied'))
  } catch (error) {
    notifyFailed(error)
  }
}

function Found({ finding }: { finding: Finding }) {
  return (
    <CodeFailure code={finding.code} params={{ first: finding.first, last: finding.last, detail: finding.detail }}>
      {finding.last > 0 && <Link className="btn in-row" to="/events" search={{ before: finding.last + 2 }}>{t('proof.show_rows')}</Link>}
    </CodeFailure>
  )
}

function Report({ report }: { report: CheckReport }) {
  return (
    <>
      <p>{report.whole
        ? <State sign="ok" tone="run">{t('proof.whole', { n: count(report.rows) })}</State>
        : <State sign="cross" tone="off">{t('proof.broken', { n: report.findings.length })}</State>} <span className="t2"><Ago at={report.finished_at} /></span></p>
      {report.cut_segments > 0 && <p className="t2">{t('proof.cut', { n: report.cut_segments })}</p>}
      {!report.whole && <CodeFailure code="audit.not_whole" />}
      {report.findings.map((finding, index) => <Found key={index} finding={finding as Finding} />)}
    </>
  )
}

function Check() {
  const client = useQueryClient()
  const check = useQuery({
    queryKey: ['audit-check'],
    queryFn: () => api.get<CheckState>('/api/audit/verify'),
    refetchInterval: (query) => (query.state.data?.running ? 700 : false),
  })
  const [error, setError] = useState<unknown>()
  const begin = async () => {
    setError(undefined)
    try {
      client.setQueryData(['audit-check'], await api.post<CheckState>('/api/audit/verify'))
      await client.invalidateQueries({ queryKey: ['audit-check'] })
    } catch (caught) {
      setError(caught)
    }
  }
  const state = check.data
  return (
    <section className="panel" aria-labelledby="check-title">
      <header><h2 id="check-title">{t('proof.check')}</h2><button type="button" className="btn in-row end" disabled={state?.running ?? true} onClick={() => void begin()}>{t('proof.begin')}</button></header>
      <div className="panel-body form" aria-live="polite">
        <p className="t2">{t('proof.why')}</p>
        <Failure error={check.error ?? error} />
        {state?.running && <><p>{t('proof.running', { n: count(state.checked), total: count(state.total) })}</p><Progress done={state.checked} total={state.total} label={t('proof.check')} /></>}
        {state?.report ? <Report report={state.report} /> : state && !state.running && <p className="t2">{t('proof.never')}</p>}
      </div>
    </section>
  )
}

function Head() {
  const head = useQuery({ queryKey: ['audit-head'], queryFn: () => api.get<SignedHead>('/api/audit/head'), refetchInterval: 30_000 })
  const one = head.data
  return (
    <section className="panel" aria-labelledby="head-title">
      <header><h2 id="head-title">{t('proof.head')}</h2>{one && <button type="button" className="btn in-row end" onClick={() => void copy(headLine(one.seq, one.hash, one.at))}><Icon name="copy" />{t('proof.copy')}</button>}</header>
      <div className="panel-body form">
        <p className="t2">{t('proof.head_why')}</p>
        <Failure error={head.error} />
        {one && (
          <dl className="facts proof-facts">
            <dt>{t('audit.row')}</dt><dd>{count(one.seq)} <span className="t2">{dayAndTime(one.at)}</span></dd>
            <dt>{t('proof.hash')}</dt><dd className="mono key">{one.hash}</dd>
            <dt>{t('proof.signature')}</dt><dd>{one.signed ? <State sign="ok" tone="run">{t('proof.signed')}</State> : <State sign="cross" tone="off">{t('proof.unsigned')}</State>}<span className="mono key block small t2">{one.signature ?? '–'}</span></dd>
            <dt>{t('proof.public')}</dt><dd className="mono key small t2">{one.public_key ?? '–'}</dd>
          </dl>
        )}
      </div>
    </section>
  )
}

interface Kept {
  keep_access_days: number
  keep_grants_days: number
  syslog_url: string
}

const trimmed = (change: Partial<Kept>): Partial<Kept> => (change.syslog_url === undefined ? change : { ...change, syslog_url: change.syslog_url.trim() })

function KeepForm() {
  const { values, set, save, error, failure, idle } = useSettingsForm<Kept>({ related: ['audit-retention', 'audit-forwarding'], tidy: trimmed })
  return (
    <form className="form" onSubmit={save}>
      <Failure error={failure} />
      {values && (
        <>
          <div className="form-two">
            <NumberInput label={t('keep.access')} description={t('keep.access_why')} min={730} hideControls value={values.keep_access_days} error={fieldError(error, 'keep_access_days')} onChange={(value) => set({ keep_access_days: Number(value) })} />
            <NumberInput label={t('keep.grants')} description={t('keep.grants_why')} min={1095} hideControls value={values.keep_grants_days} error={fieldError(error, 'keep_grants_days')} onChange={(value) => set({ keep_grants_days: Number(value) })} />
          </div>
          <TextInput label={t('keep.syslog')} description={t('keep.syslog_why')} spellCheck={false} autoComplete="off" placeholder="tls://log.example.kr:6514" value={values.syslog_url} error={fieldError(error, 'syslog_url')} onChange={(event) => set({ syslog_url: event.currentTarget.value })} />
          <div className="form-foot"><button type="submit" className="btn main" disabled={idle}>{t('act.save')}</button></div>
        </>
      )}
    </form>
  )
}

function Keeping() {
  const kept = useQuery({ queryKey: ['audit-retention'], queryFn: () => api.get<RetentionState>('/api/audit/retention') })
  const sent = useQuery({ queryKey: ['audit-forwarding'], queryFn: () => api.get<ForwardState>('/api/audit/forwarding'), refetchInterval: 10_000 })
  const mayEdit = useMay('settings.edit')
  const { data: state } = kept
  const { data: wire } = sent
  return (
    <section className="panel" aria-labelledby="keep-title">
      <header><h2 id="keep-title">{t('keep.title')}</h2></header>
      <div className="panel-body form">
        <Failure error={kept.error ?? sent.error} />
        <dl className="facts proof-facts">
          {state && <><dt>{t('keep.days')}</dt><dd>{t('keep.both', { access: count(state.keep_access_days), grants: count(state.keep_grants_days) })}</dd>
            <dt>{t('keep.oldest')}</dt><dd>{state.oldest_at ? `${day(state.oldest_at)} · ${t('keep.rows', { first: count(state.oldest_seq), last: count(state.newest_seq) })}` : '–'}</dd>
            <dt>{t('keep.cut')}</dt><dd>{state.cut_at ? t('keep.cut_until', { n: count(state.cut_until), day: day(state.cut_at) }) : t('keep.cut_none')}</dd></>}
          {wire && <><dt>{t('keep.forwarding')}</dt><dd><Wire wire={wire} /></dd></>}
        </dl>
        {wire?.enabled && wire.error && <div className="failure" role="alert"><span /><p className="title">{t('keep.unreached')}</p><p className="why">{wire.error}</p><p className="remedy">{t('keep.unreached_remedy')}</p></div>}
        {mayEdit && <KeepForm />}
      </div>
    </section>
  )
}

function Wire({ wire }: { wire: ForwardState }) {
  if (!wire.enabled) return <State sign="stopped" tone="stop">{t('keep.off')}</State>
  const behind = Math.max(0, wire.newest - wire.sent)
  if (wire.error) return <><State sign="cross" tone="off">{t('keep.failing', { n: count(behind) })}</State> <span className="t2"><Ago at={wire.since} /></span></>
  return <State sign={behind > 1000 ? 'warning' : 'ok'} tone={behind > 1000 ? 'warn' : 'run'}>{t('keep.sent', { n: count(wire.sent), behind: count(behind) })}</State>
}

export function Proof() {
  return (
    <>
      <Check />
      <Head />
      <Keeping />
    </>
  )
}
