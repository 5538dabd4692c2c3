import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Schedule, SchedulePreview, ScheduleRun } from '@/api/schedule-types'
import type { List } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { count, dayAndTime } from '@/i18n/format'
import { Confirm } from '@/parts/Confirm'
import { Failure, threeParts } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyFailed } from '@/parts/notify'
import { State } from '@/parts/State'
import { privilegeOf } from '@/power/order'
import { howWords, itemError, verbWords } from '@/power/words'

import { freshen, isRunnable, runNow, setEnabled } from './acts'
import { RunMark, TargetWords } from './Marks'
import { draftOf, formOf } from './model'
import { Preview } from './Preview'
import { limitWords, missedWords, ruleWords } from './words'

const PAGE = 20

function Run({ run }: { run: ScheduleRun }) {
  const error = run.state === 'done' ? undefined : itemError(run)
  const parts = error && threeParts(error)
  const { counts } = run
  return (
    <li className="run-row">
      <time dateTime={run.slot_at}>{dayAndTime(run.slot_at)}</time>
      <RunMark run={run} />
      <span className="small t2 grow">
        {[run.trigger !== 'slot' && t(`schedules.trigger.${run.trigger}`), run.late && t('schedules.late'), run.pharmacies !== null && t('vms.places', { n: run.pharmacies }), counts && t('schedules.run_counts', { done: count(counts.succeeded), total: count(counts.total) })].filter(Boolean).join(' · ')}
      </span>
      {run.job_id !== null && <Link className="small" to="/jobs" search={{ job: run.job_id }}>{t('jobs.open')}</Link>}
      {parts && <p className="run-why small"><span className="t1">{parts.title}</span> {parts.why && <span className="t2">{parts.why}</span>} {parts.remedy && <span className="strong">{parts.remedy}</span>}</p>}
    </li>
  )
}

function History({ id }: { id: number }) {
  const runs = useInfiniteQuery({
    queryKey: ['schedules', id, 'runs'],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => api.get<List<ScheduleRun>>(`/api/schedules/${id}/runs`, { query: { limit: PAGE, offset: pageParam }, signal }),
    getNextPageParam: (last, all) => (all.length * PAGE < last.total ? all.length * PAGE : undefined),
  })
  const all = runs.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section aria-labelledby="runs-title">
      <p className="subhead" id="runs-title">{t('schedules.history')}</p>
      <Failure error={runs.error} />
      {runs.data && all.length === 0 && <p className="panel-body t2">{t('schedules.no_runs')}</p>}
      <ul>{all.map((run) => <Run key={run.id} run={run} />)}</ul>
      {runs.hasNextPage && <p className="panel-body"><button type="button" className="btn" disabled={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>{t('act.more_rows')}</button></p>}
    </section>
  )
}

function Next({ schedule }: { schedule: Schedule }) {
  const form = { ...formOf(draftOf(schedule)), when: schedule.when }
  const preview = useQuery({
    queryKey: ['schedule-preview', form],
    queryFn: ({ signal }) => api.post<SchedulePreview>('/api/schedules/preview', form, { signal }),
    refetchInterval: 60_000,
    retry: false,
  })
  return (
    <details className="panel-body schedule-next">
      <summary>{t('schedules.next_five')}</summary>
      <Failure error={preview.error} />
      {preview.data && <Preview preview={preview.data} zone={schedule.when.zone} />}
    </details>
  )
}

function Facts({ schedule }: { schedule: Schedule }) {
  const limits = limitWords(schedule.when)
  const how = howWords(schedule.verb, schedule.force, schedule.timeout_s, schedule.options)
  const gone = schedule.targets.vms?.filter((vm) => vm.gone).length ?? 0
  const facts: [string, React.ReactNode][] = [
    [t('order.what'), <>{verbWords(schedule.verb, schedule.force)}{how.length > 0 && <span className="small t2"> · {how.join(' · ')}</span>}</>],
    [t('order.targets'), <><TargetWords targets={schedule.targets} />{gone > 0 && <span className="small warn"> · {t('schedules.gone', { n: gone })}</span>}</>],
    [t('schedules.when'), <>{ruleWords(schedule.when)}{limits.map((one) => <span key={one} className="small t2 schedule-when">{one}</span>)}</>],
    [t('schedules.next'), schedule.next_at ? dayAndTime(schedule.next_at) : t(schedule.enabled ? 'schedules.no_next' : 'schedules.off')],
    [t('schedules.missed'), missedWords(schedule)],
    [t('schedules.overlap'), t(`schedules.overlap.${schedule.overlap}`)],
    [t('schedules.owner'), <>{schedule.owner.name ?? '–'} <span className="small t3">{t('schedules.owner_hint')}</span></>],
  ]
  if (schedule.waiting_hosts > 0) facts.push([t('schedules.waiting'), t('schedules.waiting_hosts', { n: schedule.waiting_hosts })])
  if (schedule.note) facts.push([t('schedules.note'), schedule.note])
  return <dl className="facts">{facts.map(([label, value]) => <div key={label} className="fact"><dt>{label}</dt><dd>{value}</dd></div>)}</dl>
}

function Acts({ schedule, onLeave, onGone }: { schedule: Schedule; onLeave: (leaving: boolean) => void; onGone: () => void }) {
  const [asks, setAsks] = useState(false)
  const [busy, setBusy] = useState(false)
  const mayRun = useMay(privilegeOf(schedule.verb))
  const mayAdd = useMay('schedule.edit')
  const turn = async () => {
    setBusy(true)
    try {
      await setEnabled(schedule, !schedule.enabled)
    } catch (error) {
      notifyFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <div className="filters">
      <button type="button" className="btn" disabled={!mayRun || !isRunnable(schedule)} onClick={() => runNow(schedule)}><Icon name="play" size={12} />{t('schedules.run_now')}</button>
      {schedule.may_edit && <button type="button" className="btn" disabled={busy} onClick={() => void turn()}>{t(schedule.enabled ? 'schedules.pause' : 'schedules.resume')}</button>}
      {schedule.may_edit && <Link className="btn" to="/schedules/$scheduleId/edit" params={{ scheduleId: schedule.id }}>{t('act.edit')}</Link>}
      {mayAdd && <Link className="btn" to="/schedules/new" search={{ copy: schedule.id }}>{t('schedules.copy')}</Link>}
      {schedule.may_edit && <button type="button" className="btn" onClick={() => setAsks(true)}>{t('act.delete')}</button>}
      {asks && (
        <Confirm
          title={t('schedules.remove_ask', { name: schedule.name })} detail={t('schedules.remove_cost')} button={t('schedules.remove')} onClose={() => setAsks(false)}
          act={async () => {
            onLeave(true) // what is gone must not be asked for once more while the panel closes
            try {
              await api.delete(`/api/schedules/${schedule.id}`)
            } catch (error) {
              onLeave(false)
              throw error
            }
            onGone()
            await freshen()
          }}
        />
      )}
    </div>
  )
}

/** One schedule: what it does, when, and what became of its slots. */
export function ScheduleDetail({ scheduleId, onClose }: { scheduleId: number; onClose: () => void }) {
  const [leaving, setLeaving] = useState(false)
  const found = useQuery({ queryKey: ['schedules', scheduleId], queryFn: ({ signal }) => api.get<Schedule>(`/api/schedules/${scheduleId}`, { signal }), enabled: !leaving })
  const schedule = found.data
  return (
    <section className="panel job" aria-label={schedule?.name ?? t('schedules.title')}>
      <header><h2 className="ellipsis">{schedule?.name ?? '–'}</h2>{schedule && <State sign={schedule.enabled ? 'ok' : 'suspended'} tone={schedule.enabled ? 'run' : 'stop'}>{t(schedule.enabled ? 'schedules.on' : 'schedules.off')}</State>}<button type="button" className="btn ghost icon end" aria-label={t('act.close')} onClick={onClose}><Icon name="close" /></button></header>
      <Failure error={found.error} />
      {schedule && !found.error && (
        <>
          <div className="panel-body job-head">
            <Acts schedule={schedule} onLeave={setLeaving} onGone={onClose} />
            <Facts schedule={schedule} />
          </div>
          {schedule.may_edit && isRunnable(schedule) && <Next key={schedule.updated_at} schedule={schedule} />}
          {!leaving && <History id={scheduleId} />}
        </>
      )}
    </section>
  )
}
