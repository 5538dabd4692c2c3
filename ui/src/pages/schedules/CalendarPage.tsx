import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { Calendar } from '@/api/schedule-types'
import { t } from '@/i18n'
import { clockTime, dayWords } from '@/i18n/format'
import { useNow } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { Parts } from '@/pages/jobs/Parts'
import { verbWords } from '@/power/words'

import { useFreshSchedules } from './acts'
import { addDays, clusters, dayOf, isDay, mondayOf, weekdayOf, weekOf, type Cluster } from './model'
import { RUN_SIGN } from './words'

import '@/pages/jobs/jobs.css'
import './schedules.css'

const SUNDAY = 6

function Entry({ cluster }: { cluster: Cluster }) {
  const { first, last, n, pharmacies } = cluster
  const [sign, tone] = RUN_SIGN[first.state]
  const at = n > 1 ? `${clockTime(first.at)}–${clockTime(last.at)}` : clockTime(first.at)
  const more = [n > 1 && t('schedules.times_n', { n }), pharmacies !== null && t('vms.places', { n: pharmacies }), first.trigger !== 'slot' && t(`schedules.trigger.${first.trigger}`)].filter(Boolean).join(' · ')
  const words = t(`schedules.run.${first.state}`)
  const inner = (
    <>
      <span className="row-flex"><span className={tone}>{first.state === 'planned' ? <Icon name="clock" size={14} /> : <Sign name={sign} size={14} />}</span><time dateTime={first.at}>{at}</time><span className={first.state === 'planned' ? 'sr' : 'small t2 end'}>{words}</span></span>
      <span className="strong week-name">{first.schedule_name}</span>
      <span className="small t2">{[verbWords(first.verb, first.force), more].filter(Boolean).join(' · ')}</span>
    </>
  )
  return (
    <li>
      {first.job_id !== null && n === 1
        ? <Link className="week-entry" to="/jobs" search={{ job: first.job_id }}>{inner}</Link>
        : <Link className={first.state === 'planned' ? 'week-entry planned' : 'week-entry'} to="/schedules" search={{ schedule: first.schedule_id }}>{inner}</Link>}
    </li>
  )
}

/** A week of what was and what will be, with the public holidays in between. */
export function CalendarPage() {
  const search = useSearch({ from: '/app/schedules/calendar' })
  const navigate = useNavigate({ from: '/schedules/calendar' })
  const today = dayOf(useNow(60_000))
  const monday = mondayOf(isDay(search.from) ? search.from : today)
  const { data, error, isPending } = useQuery({
    queryKey: ['schedules', 'calendar', monday],
    queryFn: ({ signal }) => api.get<Calendar>('/api/schedules/calendar', { query: { from: monday, days: 7 }, signal }),
    placeholderData: keepPreviousData,
    // What will be follows the pharmacies' hours too, of which the stream tells schedules only within a minute.
    refetchInterval: 60_000,
  })
  useFreshSchedules()
  const days = useMemo(() => clusters(data?.items ?? []), [data])
  const holidays = new Map((data?.holidays ?? []).map((one) => [one.day, one.name]))
  const go = (from: string | undefined) => void navigate({ search: { from }, replace: true })
  const sunday = addDays(monday, SUNDAY)
  const week = weekOf(monday)
  const nothing = data && data.items.length === 0
  return (
    <main className="page">
      <div className="page-head">
        <h1>{t('schedules.calendar')}</h1>
        <span className="t2" role="status">{dayWords(monday)} – {dayWords(sunday)}</span>
        <span className="grow" />
        <span className="row-flex">
          <button type="button" className="btn icon" aria-label={t('schedules.week_before')} onClick={() => go(addDays(monday, -7))}><Icon name="left" /></button>
          <button type="button" className="btn" disabled={monday === mondayOf(today)} onClick={() => go(undefined)}>{t('schedules.this_week')}</button>
          <button type="button" className="btn icon" aria-label={t('schedules.week_after')} onClick={() => go(addDays(monday, 7))}><Icon name="right" /></button>
        </span>
      </div>
      <Parts at="/schedules/calendar" />
      <Failure error={error} />
      {isPending && !error && <p className="t3" role="status">{t('jobs.reading')}</p>}
      {nothing && <p className="t2">{t('schedules.nothing_this_week')} <Link to="/schedules/new">{t('schedules.add')}</Link></p>}
      {data && (
        <ol className="week panel">
          {week.map((day) => {
            const entries = days.get(day) ?? []
            const holiday = holidays.get(day)
            const red = holiday !== undefined || weekdayOf(day) === SUNDAY
            return (
              <li key={day} className={day === today ? 'week-day today' : 'week-day'} aria-current={day === today ? 'date' : undefined}>
                <h2 className={red ? 'off' : undefined}>{dayWords(day)}{day === today && <span className="tag">{t('schedules.is_today')}</span>}</h2>
                {holiday && <p className="small off">{holiday}</p>}
                {entries.length > 0 ? <ul>{entries.map((one) => <Entry key={one.key} cluster={one} />)}</ul> : <p className="small t3">{t('schedules.nothing')}</p>}
              </li>
            )
          })}
        </ol>
      )}
      {data && data.truncated.length > 0 && <p className="warn small">{t('schedules.truncated', { n: data.truncated.length })}</p>}
    </main>
  )
}
