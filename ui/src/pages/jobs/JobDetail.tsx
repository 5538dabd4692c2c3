import { Modal } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'

import { api } from '@/api/client'
import { queryClient } from '@/app/query'
import type { Job, JobItem, List } from '@/api/types'
import { t } from '@/i18n'
import { clockSeconds, dayAndTime } from '@/i18n/format'
import { store, useJob } from '@/live/store'
import { Progress } from '@/parts/bits'
import { Failure, threeParts } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyFailed } from '@/parts/notify'
import { State } from '@/parts/State'
import { askPower } from '@/power/ask'
import { isPower, itemError, verbWords } from '@/power/words'

import { ended, isOver, ITEM_SIGN, type ItemState } from './model'

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

function Item({ item, onLog }: { item: JobItem; onLog: () => void }) {
  const [sign, tone] = ITEM_SIGN[item.state as ItemState]
  const error = itemError(item)
  const parts = error && threeParts(error)
  return (
    <li className="job-item">
      <span className="grow">
        <Link className="strong t1" to="/vms" search={{ vm: item.vm_id, pharmacy_id: item.pharmacy_id }}>{item.vm_name}</Link> <Link className="t2" to="/pharmacies/$pharmacyId" params={{ pharmacyId: item.pharmacy_id }}>{item.pharmacy_name}</Link>
      </span>
      <State sign={sign} tone={tone as 'run'}>{t(`jobs.item.${item.state as ItemState}`)}</State>
      <time className="small t3 nowrap">{item.finished_at ? clockSeconds(item.finished_at) : item.started_at ? clockSeconds(item.started_at) : ''}</time>
      {item.upid ? <button type="button" className="link small" onClick={onLog}>{t('jobs.log')}</button> : <span />}
      {parts && item.state !== 'succeeded' && (
        <p className="job-why small"><span className="t1">{parts.title}</span> {parts.why && <span className="t2">{parts.why}</span>} {parts.remedy && item.state !== 'skipped' && <span className="strong">{parts.remedy}</span>}</p>
      )}
    </li>
  )
}

/** The items of a job, read anew while it moves: at most once a second. */
function useItems(jobId: number) {
  const items = useInfiniteQuery({
    queryKey: ['job-items', jobId],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) => api.get<List<JobItem>>(`/api/jobs/${jobId}/items`, { query: { limit: PAGE, offset: pageParam }, signal }),
    getNextPageParam: (last, all) => (all.length * PAGE < last.total ? all.length * PAGE : undefined),
  })
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

/** One job: what became of each VM, why, and the host's own log of it. */
export function JobDetail({ jobId, onClose }: { jobId: number; onClose: () => void }) {
  const live = useJob(jobId)
  const once = useQuery({ queryKey: ['job', jobId], queryFn: ({ signal }) => api.get<Job>(`/api/jobs/${jobId}`, { signal }), enabled: !live })
  const items = useItems(jobId)
  const [log, setLog] = useState<JobItem | null>(null)
  const job = live ?? once.data
  const all = items.data?.pages.flatMap((page) => page.items) ?? []
  const again = all.filter((item) => item.state === 'failed' || item.state === 'unknown').map((item) => item.vm_id)
  const cancel = async () => {
    try {
      await api.post(`/api/jobs/${jobId}/cancel`)
    } catch (error) {
      notifyFailed(error)
    }
  }
  if (!job) return <section className="panel job"><Failure error={once.error} /></section>
  const title = t('jobs.title_of', { n: job.counts.total, verb: verbWords(job.verb, job.force) })
  const parts = (['succeeded', 'failed', 'unknown', 'skipped', 'cancelled', 'running', 'queued'] as const).filter((state) => job.counts[state] > 0)
  const { verb } = job
  return (
    <section className="panel job" aria-label={title}>
      <header><h2>{title}</h2><button type="button" className="btn ghost icon end" aria-label={t('act.close')} onClick={onClose}><Icon name="close" /></button></header>
      <div className="panel-body job-head">
        <p className="t2">{job.actor.kind === 'system' ? t('events.system') : job.actor.name} · {dayAndTime(job.created_at)}</p>
        {!isOver(job) && <Progress done={ended(job)} total={job.counts.total} label={t('jobs.progress')} />}
        <p className="row-flex job-counts">{parts.map((state) => <State key={state} sign={ITEM_SIGN[state][0]} tone={ITEM_SIGN[state][1] as 'run'}>{t(`jobs.item.${state}`)} {job.counts[state]}</State>)}</p>
        <p className="row-flex">
          {!isOver(job) && job.counts.queued > 0 && <button type="button" className="btn" onClick={() => void cancel()}>{t('jobs.cancel', { n: job.counts.queued })}</button>}
          {isOver(job) && again.length > 0 && isPower(verb) && <button type="button" className="btn" onClick={() => askPower(verb === 'stop' && !job.force ? 'shutdown' : verb, again)}>{t('jobs.again', { n: again.length })}</button>}
        </p>
      </div>
      <Failure error={items.error} />
      <ul>{all.map((item) => <Item key={item.id} item={item} onLog={() => setLog(item)} />)}</ul>
      {items.hasNextPage && <p className="panel-body"><button type="button" className="btn" disabled={items.isFetchingNextPage} onClick={() => void items.fetchNextPage()}>{t('act.more_rows')}</button></p>}
      {log && <Log item={log} onClose={() => setLog(null)} />}
    </section>
  )
}
