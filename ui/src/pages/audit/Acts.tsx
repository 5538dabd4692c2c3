/** What people did, newest first: each act once, with how it ended. */
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { AuditRow } from '@/api/audit-types'
import type { List } from '@/api/types'
import { explain, t } from '@/i18n'
import { clockSeconds, day } from '@/i18n/format'
import { CodeFailure, Failure } from '@/parts/Failure'
import { FilterMenu } from '@/parts/FilterMenu'
import { Icon } from '@/parts/Icon'
import { State } from '@/parts/State'
import { ExportButton, HistoryFilters } from '@/pages/events/HistoryParts'
import { asked, filterOf } from '@/pages/events/search'

import { actSentence, details, doer, ending, outcomeWord, took } from './words'

const PAGE = 100
const KINDS = ['power', 'console', 'session', 'access', 'credential', 'host', 'export', 'schedule', 'settings'] as const
const FAMILIES: Record<(typeof KINDS)[number], readonly string[]> = {
  power: ['power.*', 'guest.*', 'job.*'],
  console: ['console.*'],
  session: ['session.*'],
  access: ['access.*'],
  credential: ['credential.*', 'vault.*'],
  host: ['host.*', 'pharmacy.*', 'group.*', 'vm.*'],
  export: ['export.*', 'audit.*', 'backup.*'],
  schedule: ['schedule.*'],
  settings: ['settings.*'],
}
const kindsOf = (words: string | undefined) => words?.split(',').flatMap((word) => FAMILIES[word as keyof typeof FAMILIES] ?? [])

function Details({ row }: { row: AuditRow }) {
  const parts = Object.entries(row.outcomes)
  // Why it failed: a code of its own, or the reason beside "failed".
  const because = typeof row.params.because === 'string' ? [row.params.because] : []
  const bad = row.kind === 'console.closed' ? [] : [...new Set([...parts.map(([code]) => code), ...because])].filter((code) => explain(code))
  const job = typeof row.params.job_id === 'number' ? row.params.job_id : null
  return (
    <div className="audit-details">
      <dl className="facts">
        <dt>{t('audit.row')}</dt><dd>{row.seq}</dd>
        <dt>{t('audit.kind')}</dt><dd className="mono">{row.kind}</dd>
        {row.actor.source && <><dt>{t('audit.source')}</dt><dd>{row.actor.source}</dd></>}
        {row.finished_at && <><dt>{t('audit.finished')}</dt><dd>{day(row.finished_at)} {clockSeconds(row.finished_at)}{took(row) && ` · ${took(row)}`}</dd></>}
        {parts.length > 1 && <><dt>{t('audit.ending')}</dt><dd>{parts.map(([code, n]) => t('audit.outcome.count', { word: outcomeWord(code), n })).join(' · ')}</dd></>}
        {row.act_id && <><dt>{t('audit.act_id')}</dt><dd className="mono">{row.act_id}</dd></>}
        {row.upid && <><dt>{t('events.task')}</dt><dd className="mono">{row.upid}</dd></>}
        {details(row).map(([name, value]) => <FactPair key={name} name={name} value={value} />)}
      </dl>
      {bad.map((code) => <CodeFailure key={code} code={code} params={row.params.reason_params as Record<string, unknown> | undefined} />)}
      <div className="row-flex">
        {job !== null && <Link className="btn in-row" to="/jobs" search={{ job }}>{t('audit.job')}</Link>}
        {row.actor.id !== null && row.actor.name && <Link className="btn in-row" to="/events/audit" search={{ actor: row.actor.id }}>{t('audit.all_of', { name: row.actor.name })}</Link>}
      </div>
    </div>
  )
}

function FactPair({ name, value }: { name: string; value: string }) {
  return <><dt>{name}</dt><dd>{value}</dd></>
}

function Row({ row, open, onToggle }: { row: AuditRow; open: boolean; onToggle: () => void }) {
  const { sign, tone, words } = ending(row)
  return (
    <>
      <tr>
        <td className="t2 nowrap"><time dateTime={row.at}>{clockSeconds(row.at)}</time></td>
        <td><span className="strong">{doer(row)}</span>{row.actor.kind === 'token' && <span className="tag plain">API</span>}<span className="t3 small block phone-hide">{row.actor.source}</span></td>
        <td>
          <button type="button" className="audit-open" aria-expanded={open} onClick={onToggle}><Icon name={open ? 'down' : 'right'} size={12} /><span>{actSentence(row)}</span></button>
          {row.reason && <span className="t2 small block audit-reason">{t('audit.reason', { reason: row.reason })}</span>}
        </td>
        <td className="phone-hide">{row.pharmacy_id !== null && row.pharmacy_name && <Link to="/pharmacies/$pharmacyId" params={{ pharmacyId: row.pharmacy_id }}>{row.pharmacy_name}</Link>}</td>
        <td><State sign={sign} tone={tone}>{words}</State>{took(row) && <span className="t3 small block phone-hide">{took(row)}</span>}</td>
      </tr>
      {open && <tr className="audit-opened"><td colSpan={5}><Details row={row} /></td></tr>}
    </>
  )
}

export function Acts() {
  const search = useSearch({ from: '/app/events/audit' })
  const navigate = useNavigate({ from: '/events/audit' })
  const change = (next: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...next }), replace: true })
  const query = useMemo(() => ({ ...asked(search, kindsOf(search.kind)), actor_id: search.actor, outcome: search.outcome?.split(','), by: search.by?.split(',') }), [search])
  const pages = useInfiniteQuery({
    queryKey: ['audit', query, search.before],
    initialPageParam: search.before,
    queryFn: ({ pageParam, signal }) => api.get<List<AuditRow>>('/api/audit', { query: { ...query, before: pageParam, limit: PAGE }, signal }),
    getNextPageParam: (last) => (last.items.length < PAGE ? undefined : last.items.at(-1)?.seq),
  })
  const rows = pages.data?.pages.flatMap((page) => page.items) ?? []
  const days = Map.groupBy(rows, (row) => day(row.at))
  const narrowed = Object.keys(search).length > 0
  return (
    <>
      <div className="filters">
        <HistoryFilters search={{ kind: search.kind, person: search.person, pharmacy_id: search.pharmacy_id, host_id: search.host_id, vm_id: search.vm_id, from: search.from, to: search.to, before: search.before }} kinds={KINDS.map((value) => ({ value, label: t(`audit.kinds.${value}`) }))} onChange={change}>
          <FilterMenu label={t('audit.ending')} value={search.outcome} onChange={(outcome) => change({ outcome })} choices={(['ok', 'failed', 'open'] as const).map((value) => ({ value, label: t(`audit.ended.${value}`) }))} />
          <FilterMenu label={t('audit.by')} value={search.by} onChange={(by) => change({ by })} choices={(['user', 'token', 'system'] as const).map((value) => ({ value, label: t(`audit.by.${value}`) }))} />
          {search.actor !== undefined && <button type="button" className="chip on" onClick={() => change({ actor: undefined })}>{rows.find((row) => row.actor.name)?.actor.name ?? `#${search.actor}`}<Icon name="close" size={12} /><span className="sr">{t('filter.clear')}</span></button>}
        </HistoryFilters>
        <ExportButton path="/api/audit/export" name="pharmq-audit" filter={filterOf(query)} />
      </div>
      <Failure error={pages.error}><button type="button" className="btn" onClick={() => void pages.refetch()}>{t('act.retry')}</button></Failure>
      <div className="panel events">
        <table className="grid audit-acts">
          <thead><tr><th>{t('events.at')}</th><th>{t('events.who')}</th><th>{t('events.what')}</th><th className="phone-hide">{t('pharmacy.name')}</th><th>{t('audit.ending')}</th></tr></thead>
          {[...days].map(([date, acts]) => (
            <tbody key={date}>
              <tr><th colSpan={5} scope="rowgroup" className="event-day">{date}</th></tr>
              {acts.map((row) => <Row key={row.seq} row={row} open={search.act === row.seq} onToggle={() => change({ act: search.act === row.seq ? undefined : row.seq })} />)}
            </tbody>
          ))}
        </table>
        {rows.length === 0 && pages.isSuccess && <p className="empty">{t(narrowed ? 'audit.none_found' : 'audit.none')}</p>}
      </div>
      {pages.hasNextPage && <button type="button" className="btn" disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>{t('act.more_rows')}</button>}
    </>
  )
}
