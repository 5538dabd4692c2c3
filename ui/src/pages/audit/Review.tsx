/** The monthly review: who did how much, when and from where; dormant accounts; signed by a person. */
import { Textarea } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { ReviewMonth, ReviewReport } from '@/api/audit-types'
import { explain, t } from '@/i18n'
import { count, day, dayAndTime } from '@/i18n/format'
import { Failure } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'
import { State } from '@/parts/State'

const LAST_DAY = (month: string): string => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).toISOString().slice(0, 10)

function People({ report }: { report: ReviewReport }) {
  const span = { from: `${report.month}-01`, to: LAST_DAY(report.month) }
  if (report.people.length === 0) return <p className="empty">{t('review.nobody')}</p>
  return (
    <div className="scroll-x">
      <table className="grid">
        <thead><tr><th>{t('events.who')}</th><th className="num">{t('review.acts')}</th><th className="num">{t('review.sign_ins')}</th><th className="num">{t('review.refused')}</th><th className="num">{t('review.consoles')}</th><th className="num">{t('review.exports')}</th><th className="num">{t('review.changes')}</th><th className="num">{t('review.unusual')}</th><th className="num">{t('review.addresses')}</th><th>{t('review.remarks')}</th></tr></thead>
        <tbody>
          {report.people.map((one) => (
            <tr key={one.user_id ?? 0}>
              <td className="strong nowrap">{one.user_id === null ? t('review.unknown') : <Link to="/events/audit" search={{ actor: one.user_id, ...span }}>{one.name ?? t('history.erased', { n: one.user_id })}</Link>}</td>
              {[one.acts, one.sign_ins, one.refused, one.consoles, one.exports, one.access_changes, one.unusual, one.addresses].map((n, index) => <td key={index} className={n ? 'num' : 'num t3'}>{count(n)}</td>)}
              <td>{one.remarks.length === 0 ? <span className="t3">–</span> : one.remarks.map((code) => <span key={code} className="block"><State sign="warning" tone="warn">{explain(code)?.title ?? code}</State> <span className="t2 small">{explain(code)?.remedy}</span></span>)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Signing({ report, onSigned }: { report: ReviewReport; onSigned: (report: ReviewReport) => void }) {
  const [note, setNote] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const sign = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      onSigned(await api.post<ReviewReport>(`/api/audit/reviews/${report.month}`, { note }))
      notifyDone(t('review.done'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="panel-body form" onSubmit={(event) => void sign(event)}>
      <Textarea label={t('review.note')} description={t('review.note_why')} autosize minRows={2} maxLength={2000} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
      <Failure error={error} />
      <div className="form-foot"><button type="submit" className="btn main" disabled={busy}>{t('review.sign')}</button></div>
    </form>
  )
}

function Month({ month, onSigned }: { month: ReviewMonth; onSigned: () => void }) {
  const client = useQueryClient()
  const key = ['audit-review', month.month]
  const query = useQuery({ queryKey: key, queryFn: () => api.get<ReviewReport>(`/api/audit/reviews/${month.month}`) })
  const report = query.data
  return (
    <>
      <section className="panel" aria-labelledby="review-title">
        <header><h2 id="review-title">{t('review.of', { month: month.month })}</h2></header>
        <Failure error={query.error} />
        {report && <People report={report} />}
        {query.isPending && <p className="empty">{t('review.counting')}</p>}
      </section>
      {report && (
        <section className="panel" aria-labelledby="dormant-title">
          <header><h2 id="dormant-title">{t('review.dormant')}</h2></header>
          {report.dormant.length === 0 && <p className="empty">{t('review.no_dormant')}</p>}
          {report.dormant.map((one) => <div key={one.user_id} className="line"><Link className="strong grow" to="/settings" search={{ part: 'users', user: one.user_id }}>{one.name || `#${one.user_id}`}</Link><span className="t2">{one.last_sign_in ? t('review.last_in', { day: day(one.last_sign_in) }) : t('review.never_in')}</span></div>)}
        </section>
      )}
      {report && (
        <section className="panel" aria-labelledby="sign-title">
          <header><h2 id="sign-title">{t('review.signature')}</h2></header>
          {report.signed_at
            ? <div className="panel-body"><State sign="ok" tone="run">{t('review.signed', { at: dayAndTime(report.signed_at), who: report.signed_by ?? '–' })}</State>{report.note && <p className="audit-note">{report.note}</p>}</div>
            : !month.ended ? <p className="empty">{t('review.not_yet')}</p>
            : <Signing report={report} onSigned={(signed) => {
                client.setQueryData(key, signed)
                onSigned()
              }} />}
        </section>
      )}
    </>
  )
}

export function Review() {
  const client = useQueryClient()
  const { month } = useSearch({ from: '/app/events/audit' })
  const navigate = useNavigate({ from: '/events/audit' })
  const months = useQuery({ queryKey: ['audit-reviews'], queryFn: () => api.get<ReviewMonth[]>('/api/audit/reviews') })
  // What waits for a signature comes first; the running month is there to look at.
  const shown = months.data?.find((one) => one.month === month) ?? months.data?.find((one) => one.ended && !one.signed_at) ?? months.data?.[0]
  return (
    <>
      <p className="t2">{t('review.why')}</p>
      <Failure error={months.error} />
      <nav className="review-months" aria-label={t('review.months')}>
        {months.data?.map((one) => (
          <button key={one.month} type="button" className={one === shown ? 'chip on' : 'chip'} aria-pressed={one === shown} onClick={() => void navigate({ search: { part: 'review', month: one.month }, replace: true })}>
            {one.month}<span className={one.signed_at ? 'run small' : one.ended ? 'warn small' : 't3 small'}>{t(one.signed_at ? 'review.is_signed' : one.ended ? 'review.is_open' : 'review.is_running')}</span>
          </button>
        ))}
      </nav>
      {months.data?.length === 0 && <p className="panel empty">{t('review.none')}</p>}
      {shown && <Month key={shown.month} month={shown} onSigned={() => void client.invalidateQueries({ queryKey: ['audit-reviews'] })} />}
    </>
  )
}
