/** Sends a power act and says when it did not work out: a person should not have to watch a row to learn that. */
import { api, ApiError } from '@/api/client'
import type { DryRun, Job, JobItem, List } from '@/api/types'
import { store } from '@/live/store'
import { notifyFailed } from '@/parts/notify'

import type { Order } from './ask'
import { pathOf } from './order'
import { itemError } from './words'

/** What would be done, and how many open pharmacies it touches; nothing is sent to a host. */
export const plan = ({ how, body }: Order, signal: AbortSignal): Promise<DryRun> => api.post<DryRun>(pathOf(how.verb), { ...body, dry_run: true }, { signal })

export async function send({ how, body }: Order): Promise<Job> {
  const { job } = await api.post<{ job: Job }>(pathOf(how.verb), body)
  return job
}

const over = (job: Job | undefined): boolean => job?.state === 'done' || job?.state === 'cancelled'

/** Waits for the job's end on the stream; tells of what failed or stayed unknown, and of a single VM that was skipped. */
export function follow(job: Job): void {
  const told = (ended: Job) => void tell(ended).catch(notifyFailed)
  if (over(job)) {
    told(job)
    return
  }
  const stop = store.watchRow('jobs', job.id, () => {
    const now = store.row('jobs', job.id)
    if (!now || !over(now)) return
    stop()
    told(now)
  })
}

async function tell(job: Job): Promise<void> {
  const { failed, unknown, skipped, total, succeeded } = job.counts
  if (total > 1) {
    if (failed + unknown > 0) notifyFailed(new ApiError(0, 'ui.job_failed', { verb: job.verb, total, failed, unknown, succeeded, skipped }))
    return
  }
  if (failed + unknown + skipped === 0) return
  const { items } = await api.get<List<JobItem>>(`/api/jobs/${job.id}/items`, { query: { limit: 1 } })
  const error = items[0] && itemError(items[0])
  if (error) notifyFailed(error)
}
