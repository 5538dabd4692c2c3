/** Our own least-privilege account on each host: state, making, rotation, removal, and the policy. */
import { Menu } from '@mantine/core'
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { api } from '@/api/client'
import type { Accepted, AccountRow, AccountsReport, AccountState } from '@/api/audit-types'
import type { List } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t, tMaybe } from '@/i18n'
import { count, day, dayAndTime } from '@/i18n/format'
import { Ago, Progress } from '@/parts/bits'
import { CodeFailure, Failure } from '@/parts/Failure'
import { FilterMenu } from '@/parts/FilterMenu'
import { Icon, type SignName } from '@/parts/Icon'
import { State } from '@/parts/State'

import { AccountPolicy } from './AccountPolicy'
import { MakeAccounts, RemoveAccount, RotateAccounts } from './AccountDialogs'

const PAGE = 200
const STATES: readonly AccountState[] = ['stopped', 'waiting', 'working', 'queued', 'none', 'ready']
const MARK: Record<AccountState, [SignName, 'run' | 'off' | 'warn' | 'stop']> = {
  none: ['stopped', 'stop'],
  queued: ['turning', 'stop'],
  working: ['turning', 'stop'],
  waiting: ['warning', 'warn'],
  stopped: ['cross', 'off'],
  ready: ['ok', 'run'],
}
const BUSY = (report: AccountsReport | undefined): boolean => (report ? report.queued + report.working + report.waiting > 0 : false)

export type Asking = { what: 'make' | 'rotate'; rows?: readonly AccountRow[]; ids?: number[]; n: number } | { what: 'remove'; row: AccountRow }

function Counts({ report }: { report: AccountsReport }) {
  const cards: [string, number, string, string?][] = [
    [t('accounts.count.hosts'), report.hosts, ''],
    [t('accounts.count.ready'), report.ready, report.ready ? 'run' : '', 'ready'],
    [t('accounts.count.none'), report.none, report.none ? 'warn' : '', 'none'],
    [t('accounts.count.working'), report.queued + report.working + report.waiting, '', 'queued,working,waiting'],
    [t('accounts.count.stopped'), report.stopped, report.stopped ? 'off' : '', 'stopped'],
    [t('accounts.count.overdue'), report.overdue, report.overdue ? 'warn' : ''],
  ]
  return (
    <dl className="account-counts">
      {cards.map(([label, n, tone, state]) => (
        <div key={label}><dt>{label}</dt><dd className={tone}>{state && n > 0 ? <Link to="/settings" search={{ part: 'accounts', state }}>{count(n)}</Link> : count(n)}</dd></div>
      ))}
    </dl>
  )
}

/** Where an operation stands or stopped, and why. */
function Standing({ row }: { row: AccountRow }) {
  if (!row.operation || !row.step) return null
  const words = { operation: tMaybe(`accounts.operation.${row.operation}`) ?? row.operation, step: tMaybe(`accounts.step.${row.step}`) ?? row.step }
  if (!row.reason) return <span className="t2 small block">{t('accounts.at', words)}</span>
  return (
    <div className="account-why">
      <p className="strong">{t(row.state === 'waiting' ? 'accounts.waiting_at' : 'accounts.stopped_at', words)} <span className="t2">{row.next_at ? t('accounts.next', { at: dayAndTime(row.next_at) }) : t('accounts.safe')}</span></p>
      <CodeFailure code={row.reason} params={row.reason_params} />
    </div>
  )
}

function Due({ row }: { row: AccountRow }) {
  if (!row.token) return <span className="t3">–</span>
  if (row.overdue) return <State sign="warning" tone="warn">{t('accounts.overdue')}</State>
  return row.due_at ? <>{day(row.due_at)}</> : <span className="t3">{t('accounts.no_due')}</span>
}

function Row({ row, ask }: { row: AccountRow; ask: (asking: Asking) => void }) {
  const [sign, tone] = MARK[row.state]
  const stopped = row.state === 'stopped' || row.state === 'waiting'
  const busy = row.state === 'queued' || row.state === 'working'
  const first = row.state === 'ready' ? 'rotate' : stopped && row.operation === 'rotate' ? 'rotate' : 'make'
  const removing = row.operation === 'remove'
  return (
    <>
      <tr className={row.reason ? 'account-broken' : undefined}>
        <td><Link className="strong" to="/hosts/$hostId" params={{ hostId: row.host_id }}>{row.pharmacy_name}</Link> <span className="t3 small block">{row.host_ip}</span></td>
        <td><State sign={sign} tone={tone}>{t(`accounts.state.${row.state}`)}</State>{busy && <Standing row={row} />}</td>
        <td className="t2 phone-hide">{row.host_username.split('!')[0]} <span className="t3 small">{tMaybe(`accounts.kind.${row.credential_kind}`)}</span></td>
        <td className="t2 phone-hide">{row.rotated_at ? <Ago at={row.rotated_at} /> : '–'}</td>
        <td className="t2 phone-hide"><Due row={row} /></td>
        <td className="acts">
          {!busy && <button type="button" className="btn in-row" onClick={() => removing ? ask({ what: 'remove', row }) : ask({ what: first, rows: [row], ids: [row.host_id], n: 1 })}>{t(stopped ? 'accounts.resume' : first === 'rotate' ? 'accounts.rotate' : 'accounts.make')}</button>}
          {!busy && row.username && !removing && (
            <Menu position="bottom-end">
              <Menu.Target><button type="button" className="btn ghost icon in-row" aria-label={t('accounts.more', { host: row.host_ip })}><Icon name="more" /></button></Menu.Target>
              <Menu.Dropdown>
                {stopped && row.token && row.operation === 'rotate' && <Menu.Item onClick={() => ask({ what: 'make', rows: [row], ids: [row.host_id], n: 1 })}>{t('accounts.make')}</Menu.Item>}
                <Menu.Item onClick={() => ask({ what: 'remove', row })}>{t('accounts.remove')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </td>
      </tr>
      {row.reason && <tr><td colSpan={6}><Standing row={row} /></td></tr>}
    </>
  )
}

function useAccounts(state: string | undefined, ids: number[], busy: boolean) {
  return useInfiniteQuery({
    queryKey: ['accounts', state, ids],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => api.get<List<AccountRow>>('/api/service-accounts', { query: { state: state?.split(','), host_id: ids, limit: PAGE, offset: pageParam }, signal }),
    getNextPageParam: (last, pages) => (pages.length * PAGE < last.total ? pages.length * PAGE : undefined),
    refetchInterval: busy ? 1500 : 30_000,
  })
}

export function Accounts() {
  const client = useQueryClient()
  const search = useSearch({ from: '/app/settings' })
  const navigate = useNavigate({ from: '/settings' })
  const mayEdit = useMay('settings.edit')
  const ids = (search.hosts ?? '').split(',').map(Number).filter((id) => Number.isSafeInteger(id) && id > 0)
  const report = useQuery({ queryKey: ['accounts-report'], queryFn: () => api.get<AccountsReport>('/api/service-accounts/report'), refetchInterval: (query) => (BUSY(query.state.data) ? 1500 : 30_000) })
  const busy = BUSY(report.data)
  const list = useAccounts(search.state, ids, busy)
  const [asking, setAsking] = useState<Asking | null>(null)
  const [told, setTold] = useState<Accepted | null>(null)
  // The last change of an operation comes with the report that says it is over: the rows are read once more.
  useEffect(() => {
    if (!busy) void client.invalidateQueries({ queryKey: ['accounts'] })
  }, [busy, client])
  const rows = list.data?.pages.flatMap((page) => page.items) ?? []
  const done = (answer: Accepted | null) => {
    setTold(answer)
    void client.invalidateQueries({ queryKey: ['accounts-report'] })
    void client.invalidateQueries({ queryKey: ['accounts'] })
  }
  const only = ids.length > 0
  const without = rows.filter((row) => row.state === 'none' || (row.state === 'stopped' && row.operation === 'provision'))
  const having = rows.filter((row) => row.state === 'ready')
  const made = report.data
  return (
    <>
      <section className="panel" aria-labelledby="accounts-title">
        <header><h2 id="accounts-title">{t('accounts.title')}</h2></header>
        <div className="panel-body form">
          <p className="t2">{t('accounts.why')}</p>
          <Failure error={report.error} />
          {made && <Counts report={made} />}
          {made && busy && <div><p className="t2">{t('accounts.progress', { n: made.ready, total: made.hosts })}</p><Progress done={made.ready} total={made.hosts} label={t('accounts.title')} /></div>}
          {made?.oldest && <p className="t2 small">{t('accounts.oldest', { day: day(made.oldest) })}</p>}
          {told && <Told answer={told} />}
          <div className="row-flex account-acts">
            <button type="button" className="btn main" disabled={only ? without.length === 0 : !made || made.none + made.stopped === 0} onClick={() => setAsking(only ? { what: 'make', rows: without, ids: without.map((row) => row.host_id), n: without.length } : { what: 'make', n: (made?.none ?? 0) + (made?.stopped ?? 0) })}>{t(only ? 'accounts.make_these' : 'accounts.make_all')}</button>
            <button type="button" className="btn" disabled={only ? having.length === 0 : !made || made.ready === 0} onClick={() => setAsking(only ? { what: 'rotate', rows: having, ids: having.map((row) => row.host_id), n: having.length } : { what: 'rotate', n: made?.ready ?? 0 })}>{t(only ? 'accounts.rotate_these' : 'accounts.rotate_all')}</button>
          </div>
        </div>
      </section>
      <div className="filters">
        <FilterMenu label={t('accounts.filter')} value={search.state} onChange={(state) => void navigate({ search: (before) => ({ ...before, state }), replace: true })} choices={STATES.map((value) => ({ value, label: t(`accounts.state.${value}`) }))} />
        {only && <button type="button" className="chip on" onClick={() => void navigate({ search: (before) => ({ ...before, hosts: undefined }), replace: true })}>{t('accounts.only', { n: ids.length })}<Icon name="close" size={12} /><span className="sr">{t('filter.clear')}</span></button>}
      </div>
      <section className="panel" aria-label={t('accounts.host')}>
        <Failure error={list.error} />
        {rows.length > 0 && (
          <table className="grid accounts">
            <thead><tr><th>{t('accounts.host')}</th><th>{t('accounts.state')}</th><th className="phone-hide">{t('accounts.account')}</th><th className="phone-hide">{t('accounts.rotated')}</th><th className="phone-hide">{t('accounts.due')}</th><th><span className="sr">{t('nav.more')}</span></th></tr></thead>
            <tbody>{rows.map((row) => <Row key={row.host_id} row={row} ask={setAsking} />)}</tbody>
          </table>
        )}
        {list.isSuccess && rows.length === 0 && <p className="empty">{t(search.state || only ? 'accounts.none_found' : 'accounts.none')}</p>}
      </section>
      {list.hasNextPage && <button type="button" className="btn" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('act.more_rows')}</button>}
      {mayEdit && <AccountPolicy />}
      {asking?.what === 'make' && <MakeAccounts asking={asking} onClose={() => setAsking(null)} onDone={done} />}
      {asking?.what === 'rotate' && <RotateAccounts asking={asking} onClose={() => setAsking(null)} onDone={done} />}
      {asking?.what === 'remove' && <RemoveAccount row={asking.row} onClose={() => setAsking(null)} onDone={() => done(null)} />}
    </>
  )
}

/** What was begun, and which hosts were left as they are, each reason once. */
function Told({ answer }: { answer: Accepted }) {
  const codes = Map.groupBy(answer.refused, (one) => one.code)
  return (
    <div role="status" className="form">
      {answer.accepted > 0 && <p><State sign="ok" tone="run">{t('accounts.accepted', { n: answer.accepted })}</State></p>}
      {[...codes].map(([code, refused]) => <div key={code}><p className="t2">{t('accounts.refused', { n: refused.length })}</p><CodeFailure code={code} /></div>)}
    </div>
  )
}
