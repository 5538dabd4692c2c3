import { Modal } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import { api } from '@/api/client'
import { queryClient } from '@/app/query'
import type { Job, JobItem, List } from '@/api/types'
import { t } from '@/i18n'
import { clockSeconds, count, dayAndTime, span } from '@/i18n/format'
import { store, useJob, useNow } from '@/live/store'
import { Progress } from '@/parts/bits'
import { Failure, threeParts } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyFailed } from '@/parts/notify'
import { State } from '@/parts/State'
import { howWords, itemError, verbWords } from '@/power/words'

import { Again } from './Again'
import { COUNTED, ended, isOver, ITEM_SIGN, lookAgain, rate, retryable, statesOf, type Counted, type ItemState } from './model'

const PAGE = 200

interface TaskLog {
  upid: string
  lines: string[]
  total: number
}

function Log({ item, onClose }: { item: JobItem; onClose: () => void }) {
  const { data, error, isPending } = useQuery({
    queryKey: ['job-log', item.id],
    queryFn: ({ signal }) => api.get<TaskLog>(`/api/jobs/${item.job_id}/items/${item.id}/log`, { signal }),
    refetchInterval: item.finished_at ? false : 2000,
  })
  return (
    <Modal opened onClose={onClose} title={t('jobs.log_of', { name: `${item.pharmacy_name} ${item.vm_name}` })} size={720}>
      <Failure error={error} />
      {isPending && <p className="t2" role="status">{t('jobs.log_reading')}</p>}
      {data && <pre className="job-log mono">{data.lines.join('\n')}</pre>}
      {data && <p className="small t3 mono job-upid">{data.upid}</p>}
    </Modal>
  )
}

function Item({ item, canary, onLog }: { item: JobItem; canary: boolean; onLog: () => void }) {
  const [sign, tone] = ITEM_SIGN[item.state as ItemState]
  const error = itemError(item)
  const parts = error && threeParts(error)
  return (
    <li className="job-item">
      <span className="grow">
        <Link className="strong t1" to="/vms" search={{ vm: item.vm_id, pharmacy_id: item.pharmacy_id }}>{item.vm_name}</Link> <Link className="t2" to="/pharmacies/$pharmacyId" params={{ pharmacyId: item.pharmacy_id }}>{item.pharmacy_name}</Link>
        {canary && item.wave === 0 && item.state !== 'skipped' && <span className="tag">{t('jobs.canary')}</span>}
      </span>
      <State sign={sign} tone={tone as 'run'}>{t(item.held ? 'jobs.item.held' : `jobs.item.${item.state as ItemState}`)}</State>
      <time className="small t3 nowrap">{item.finished_at ? clockSeconds(item.finished_at) : item.started_at ? clockSeconds(item.started_at) : ''}</time>
      {item.upid ? <button type="button" className="link small" onClick={onLog}>{t('jobs.log')}</button> : <span />}
      {parts && item.state !== 'succeeded' && (
        <p className="job-why small"><span className="t1">{parts.title}</span> {parts.why && <span className="t2">{parts.why}</span>} {parts.remedy && item.state !== 'skipped' && <span className="strong">{parts.remedy}</span>}</p>
      )}
    </li>
  )
}

/** The items of a job, read anew while it moves: at most once a second, or `every` so many ms where no stream tells. */
function useItems(jobId: number, only: Counted | undefined, every: number | false) {
  const items = useInfiniteQuery({
    queryKey: ['job-items', jobId, only],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => api.get<List<JobItem>>(`/api/jobs/${jobId}/items`, { query: { limit: PAGE, offset: pageParam, state: only && statesOf(only) }, signal }),
    getNextPageParam: (last, all) => (all.length * PAGE < last.total ? all.length * PAGE : undefined),
    placeholderData: keepPreviousData,
    refetchInterval: every,
  })
  useEffect(() => {
    // Over: what ended after the last look is not told by anybody.
    if (every === false) void queryClient.invalidateQueries({ queryKey: ['job-items', jobId] }, { cancelRefetch: false })
  }, [every, jobId])
  const due = useRef(0)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = store.watchRow('jobs', jobId, () => {
      timer ??= setTimeout(() => {
        timer = undefined
        due.current = Date.now() + 1000
        void queryClient.invalidateQueries({ queryKey: ['job-items', jobId] }, { cancelRefetch: false })
      }, Math.max(0, due.current - Date.now()))
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [jobId])
  return items
}

/** Whose job it is and why there is one. */
function Origin({ job }: { job: Job }) {
  const { cause, actor } = job
  return (
    <p className="t2">
      {cause?.kind === 'schedule' && <><Link to="/schedules" search={{ schedule: cause.id }}>{t('jobs.by_schedule', { name: cause.name })}</Link> · </>}
      {cause?.kind === 'retry' && <><Link to="/jobs" search={{ job: cause.id }}>{t('jobs.by_retry')}</Link> · </>}
      {actor.kind === 'system' ? t('events.system') : actor.name} · {dayAndTime(job.created_at)}
    </p>
  )
}

function Pace({ job }: { job: Job }) {
  const now = useNow()
  const told = rate(job, now)
  return (
    <>
      <Progress done={ended(job)} total={job.counts.total} label={t('jobs.progress')} />
      <p className="small t2">{ended(job)} / {job.counts.total}{told && ` · ${t('jobs.rate', { n: count(Math.max(1, Math.round(told.perMinute))) })} · ${t('jobs.left', { span: span(Math.ceil(told.left)) })}`}</p>
    </>
  )
}

/** How many are in which state; each shows only its own. */
function Counts({ job, only, onOnly }: { job: Job; only: Counted | undefined; onOnly: (only: Counted | undefined) => void }) {
  const parts = COUNTED.filter((state) => job.counts[state] > 0 || state === only)
  return (
    <div className="job-counts" role="group" aria-label={t('jobs.show_only')}>
      {parts.map((state) => (
        <button key={state} type="button" className={state === only ? 'chip on' : 'chip'} aria-pressed={state === only} onClick={() => onOnly(state === only ? undefined : state)}>
          <State sign={ITEM_SIGN[state][0]} tone={ITEM_SIGN[state][1] as 'run'}>{t(`jobs.item.${state}`)} {count(job.counts[state])}</State>
        </button>
      ))}
    </div>
  )
}

function Acts({ job, onMade }: { job: Job; onMade: (jobId: number) => void }) {
  const [again, setAgain] = useState(false)
  const open = retryable(job.counts).reduce((sum, [, n]) => sum + n, 0)
  const cancel = async () => {
    try {
      await api.post(`/api/jobs/${job.id}/cancel`)
    } catch (error) {
      notifyFailed(error)
    }
  }
  return (
    <div className="row-flex">
      {!isOver(job) && job.counts.queued > 0 && <button type="button" className="btn" onClick={() => void cancel()}>{t('jobs.cancel', { n: job.counts.queued })}</button>}
      {isOver(job) && open > 0 && <button type="button" className="btn" onClick={() => setAgain(true)}><Icon name="refresh" />{t('jobs.again', { n: count(open) })}</button>}
      {again && <Again job={job} onClose={() => setAgain(false)} onMade={onMade} />}
    </div>
  )
}

interface Props {
  jobId: number
  only: Counted | undefined
  onOnly: (only: Counted | undefined) => void
  onClose: () => void
  onMade: (jobId: number) => void
}

/** One job: what became of each VM, why, and the host's own log of it. */
export function JobDetail({ jobId, only, onOnly, onClose, onMade }: Props) {
  const live = useJob(jobId)
  const once = useQuery({ queryKey: ['job', jobId], queryFn: ({ signal }) => api.get<Job>(`/api/jobs/${jobId}`, { signal }), enabled: !live, refetchInterval: ({ state }) => lookAgain(live, state.data && [state.data]) })
  const items = useItems(jobId, only, lookAgain(live, once.data && [once.data]))
  const [log, setLog] = useState<JobItem | null>(null)
  const job = live ?? once.data
  const all = items.data?.pages.flatMap((page) => page.items) ?? []
  const close = <button type="button" className="btn ghost icon end" aria-label={t('act.close')} onClick={onClose}><Icon name="close" /></button>
  if (!job) return <section className="panel job"><header><h2>–</h2>{close}</header><Failure error={once.error} /></section>
  const title = t('jobs.title_of', { n: job.counts.total, verb: verbWords(job.verb, job.force) })
  const how = howWords(job.verb, job.force, job.timeout_s, job.options)
  return (
    <section className="panel job" aria-label={title}>
      <header><h2>{title}</h2>{close}</header>
      <div className="panel-body job-head">
        <Origin job={job} />
        {how.length > 0 && <p className="small t2">{how.join(' · ')}</p>}
        {!isOver(job) && <Pace job={job} />}
        {job.ended_by && job.counts.cancelled > 0 && <p className={job.ended_by === 'person' ? 't2' : 'warn'}>{t(`jobs.ended_by.${job.ended_by}`, { n: job.counts.cancelled })}</p>}
        <Counts job={job} only={only} onOnly={onOnly} />
        <Acts job={job} onMade={onMade} />
      </div>
      <Failure error={items.error} />
      {only && items.data && all.length === 0 && <p className="panel-body t2">{t('list.none')}</p>}
      <ul aria-label={t('jobs.items')}>{all.map((item) => <Item key={item.id} item={item} canary={(job.options.canary ?? 0) > 0} onLog={() => setLog(item)} />)}</ul>
      {items.hasNextPage && <p className="panel-body"><button type="button" className="btn" disabled={items.isFetchingNextPage} onClick={() => void items.fetchNextPage()}>{t('act.more_rows')}</button></p>}
      {log && <Log item={log} onClose={() => setLog(null)} />}
    </section>
  )
}
