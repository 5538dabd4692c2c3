import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { Job, List } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { moment, span } from '@/i18n/format'
import { useNow, useRows } from '@/live/store'
import { Progress } from '@/parts/bits'
import { Failure } from '@/parts/Failure'
import { FilterMenu } from '@/parts/FilterMenu'
import { Icon } from '@/parts/Icon'
import { State } from '@/parts/State'
import { verbWords } from '@/power/words'

import { JobDetail } from './JobDetail'
import { countedOf, ended, isOver, lookAgain, merged, took } from './model'
import { Parts } from './Parts'

import './jobs.css'

const PAGE = 50
const STATES = ['running', 'queued', 'done', 'cancelled'] as const

export function JobState({ job }: { job: Job }) {
  const { failed, unknown } = job.counts
  if (!isOver(job)) return <State sign="turning" tone="stop">{t(`jobs.state.${job.state}`)}</State>
  if (failed > 0) return <State sign="cross" tone="off">{t('jobs.failed', { n: failed })}</State>
  if (unknown > 0) return <State sign="unknown" tone="warn">{t('jobs.unknown', { n: unknown })}</State>
  if (job.state === 'cancelled') return <State sign="stopped" tone="stop">{t('jobs.state.cancelled')}</State>
  return <State sign="ok" tone="run">{t('jobs.state.done')}</State>
}

function Line({ job, open, onOpen }: { job: Job; open: boolean; onOpen: () => void }) {
  const now = useNow()
  return (
    <tr className={open ? 'on' : undefined} onClick={onOpen}>
      <td><button type="button" className="link strong" aria-expanded={open}>{t('jobs.title_of', { n: job.counts.total, verb: verbWords(job.verb, job.force) })}</button>{job.cause && <span className="small t3 ellipsis job-cause"> {job.cause.kind === 'schedule' ? job.cause.name : t('jobs.by_retry')}</span>}</td>
      <td><JobState job={job} /></td>
      <td className="phone-hide"><span className="row-flex"><Progress done={ended(job)} total={job.counts.total} label={t('jobs.progress')} /><span className="small t2 nowrap">{ended(job)} / {job.counts.total}</span></span></td>
      <td className="phone-hide">{job.actor.kind === 'system' ? t('events.system') : job.actor.name}</td>
      <td className="t2 nowrap"><time dateTime={job.created_at}>{moment(job.created_at, now)}</time></td>
      <td className="num t2 nowrap phone-hide">{span(took(job, now))}</td>
    </tr>
  )
}

export function JobsPage() {
  const search = useSearch({ from: '/app/jobs' })
  const navigate = useNavigate({ from: '/jobs' })
  const live = useRows('jobs')
  const [power, snapshot, edit] = [useMay('power'), useMay('snapshot'), useMay('guest.edit')]
  const may = power || snapshot || edit
  const one = search.state && !search.state.includes(',') ? search.state : undefined
  const pages = useInfiniteQuery({
    queryKey: ['jobs', one],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => api.get<List<Job>>('/api/jobs', { query: { state: one, limit: PAGE, offset: pageParam }, signal }),
    getNextPageParam: (last, all) => (all.length * PAGE < last.total ? all.length * PAGE : undefined),
    refetchInterval: ({ state }) => lookAgain(live.length > 0, state.data?.pages[0]?.items),
  })
  const jobs = useMemo(() => merged(live, pages.data?.pages.flatMap((page) => page.items) ?? [], search.state ? new Set(search.state.split(',')) : null), [live, pages.data, search.state])
  const show = (job: number | undefined) => void navigate({ search: (before) => ({ ...before, job, item: undefined }), replace: true })
  return (
    <main className="page">
      <div className="page-head"><h1>{t('jobs.title')}</h1><span className="grow" />{may && <Link className="btn main" to="/jobs/new"><Icon name="plus" />{t('jobs.new')}</Link>}</div>
      <Parts at="/jobs" />
      <div className="filters">
        <FilterMenu label={t('jobs.state')} value={search.state} onChange={(state) => void navigate({ search: (before) => ({ ...before, state }), replace: true })} choices={STATES.map((value) => ({ value, label: t(`jobs.state.${value}`) }))} />
      </div>
      <Failure error={pages.error} />
      <div className={search.job ? 'jobs with-detail' : 'jobs'}>
        <div className="panel">
          <table className="grid jobs-list" aria-label={t('nav.jobs')}>
            <thead><tr><th>{t('jobs.what')}</th><th>{t('jobs.result')}</th><th className="phone-hide">{t('jobs.progress')}</th><th className="phone-hide">{t('events.who')}</th><th>{t('jobs.at')}</th><th className="num phone-hide">{t('jobs.took')}</th></tr></thead>
            <tbody>{jobs.map((job) => <Line key={job.id} job={job} open={job.id === search.job} onOpen={() => show(job.id === search.job ? undefined : job.id)} />)}</tbody>
          </table>
          {jobs.length === 0 && !pages.isPending && <p className="empty">{search.state ? t('list.none') : t('jobs.none')}</p>}
        </div>
        {search.job !== undefined && <JobDetail key={search.job} jobId={search.job} only={countedOf(search.item)} onOnly={(item) => void navigate({ search: (before) => ({ ...before, item }), replace: true })} onClose={() => show(undefined)} onMade={show} />}
      </div>
      {pages.hasNextPage && <button type="button" className="btn" disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}><Icon name="down" />{t('act.more_rows')}</button>}
    </main>
  )
}
