import { Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Schedule } from '@/api/schedule-types'
import type { List } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { count, dayAndTime } from '@/i18n/format'
import { useNow } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyFailed } from '@/parts/notify'
import { Parts } from '@/pages/jobs/Parts'
import { verbWords } from '@/power/words'

import { setEnabled, useFreshSchedules } from './acts'
import { ScheduleDetail } from './Detail'
import { RunMark, TargetWords } from './Marks'
import { coming, limitWords, ruleWords } from './words'

import '@/pages/jobs/jobs.css'
import './schedules.css'

const PAGE = 1000

function OnOff({ schedule }: { schedule: Schedule }) {
  const [busy, setBusy] = useState(false)
  const turn = async (on: boolean) => {
    setBusy(true)
    try {
      await setEnabled(schedule, on)
    } catch (error) {
      notifyFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return <Switch aria-label={t('schedules.enabled_of', { name: schedule.name })} checked={schedule.enabled} disabled={busy || !schedule.may_edit} onChange={(event) => void turn(event.currentTarget.checked)} />
}

function Line({ schedule, open, onOpen }: { schedule: Schedule; open: boolean; onOpen: () => void }) {
  const now = useNow(60_000)
  const limits = limitWords(schedule.when)
  return (
    <tr className={open ? 'on' : undefined} onClick={onOpen}>
      <td><button type="button" className="link strong" aria-expanded={open}>{schedule.name}</button><span className="small t2 phone-only schedule-when">{ruleWords(schedule.when)}</span></td>
      <td className="nowrap">{schedule.next_at ? <time dateTime={schedule.next_at}>{coming(schedule.next_at, now)}</time> : <span className="t3">{t(schedule.enabled ? 'schedules.no_next' : 'schedules.off')}</span>}</td>
      <td className="phone-hide">{verbWords(schedule.verb, schedule.force)}</td>
      <td className="phone-hide wide-only"><TargetWords targets={schedule.targets} /></td>
      <td className="phone-hide wide-only">{ruleWords(schedule.when)}{limits.length > 0 && <span className="small t2 schedule-when">{limits.join(' · ')}</span>}</td>
      <td className="phone-hide">{schedule.last_run ? <span title={dayAndTime(schedule.last_run.slot_at)}><RunMark run={schedule.last_run} /></span> : <span className="t3">–</span>}</td>
      {/* oxlint-disable-next-line jsx-a11y/click-events-have-key-events */}
      <td onClick={(event) => event.stopPropagation()}><OnOff schedule={schedule} /></td>
    </tr>
  )
}

/** Schedules, next ones first. */
export function SchedulesPage() {
  const search = useSearch({ from: '/app/schedules' })
  const navigate = useNavigate({ from: '/schedules' })
  const may = useMay('schedule.edit')
  const { data, error, isPending } = useQuery({
    queryKey: ['schedules'],
    queryFn: ({ signal }) => api.get<List<Schedule>>('/api/schedules', { query: { limit: PAGE }, signal }),
  })
  useFreshSchedules()
  const show = (schedule: number | undefined) => void navigate({ search: { schedule }, replace: true })
  const rows = data?.items ?? []
  const add = <Link className="btn main" to="/schedules/new"><Icon name="plus" />{t('schedules.add')}</Link>
  return (
    <main className="page">
      <div className="page-head"><h1>{t('schedules.title')}</h1>{data && <span className="t2" role="status">{t('list.count', { n: count(data.total) })}</span>}<span className="grow" />{may && add}</div>
      <Parts at="/schedules" />
      <Failure error={error} />
      {isPending && !error && <p className="t3" role="status">{t('jobs.reading')}</p>}
      {data?.total === 0 && <div className="panel empty"><p>{t('schedules.none')}</p>{may && add}</div>}
      <div className={search.schedule ? 'jobs with-detail' : 'jobs'}>
        {rows.length > 0 && (
          <div className="panel">
            <table className="grid jobs-list schedules-list">
              <thead>
                <tr>
                  <th>{t('schedules.name')}</th><th>{t('schedules.next')}</th><th className="phone-hide">{t('order.what')}</th><th className="phone-hide wide-only">{t('order.targets')}</th>
                  <th className="phone-hide wide-only">{t('schedules.when')}</th><th className="phone-hide">{t('schedules.last')}</th><th>{t('schedules.enabled')}</th>
                </tr>
              </thead>
              <tbody>{rows.map((one) => <Line key={one.id} schedule={one} open={one.id === search.schedule} onOpen={() => show(one.id === search.schedule ? undefined : one.id)} />)}</tbody>
            </table>
          </div>
        )}
        {search.schedule !== undefined && <ScheduleDetail key={search.schedule} scheduleId={search.schedule} onClose={() => show(undefined)} />}
      </div>
    </main>
  )
}
