/** Sends a power act and says when it did not work out: a person should not have to watch a row to learn that. */
import { api, ApiError } from '@/api/client'
import type { Job, JobItem, List, Params, Verb } from '@/api/types'
import { store } from '@/live/store'
import { notifyFailed } from '@/parts/notify'

import { itemError } from './words'

export interface Plan {
  items: { vm_id: number; vm_name: string; pharmacy_id: number; pharmacy_name: string; plan: 'do' | 'skip'; reason: string | null; reason_params: Params }[]
  open_pharmacies: number
}

function body(verb: Verb, vmIds: readonly number[]): { path: string; body: Record<string, unknown> } {
  const vms = vmIds.map((id) => store.row('vms', id)).filter((vm) => vm !== undefined).map(({ host_id, vmid }) => ({ host_id, vmid }))
  // `stop` alone asks the guest; cutting the power is `stop` with force.
  return { path: `/api/vms/batch/${verb}`, body: { vms, ...(verb === 'stop' ? { force: true } : {}) } }
}

/** What would be done, and how many open pharmacies it touches; nothing is sent to a host. */
export async function plan(verb: Verb, vmIds: readonly number[], signal: AbortSignal): Promise<Plan> {
  const { path, body: wanted } = body(verb, vmIds)
  return await api.post<Plan>(path, { ...wanted, dry_run: true }, { signal })
}

export async function send(verb: Verb, vmIds: readonly number[]): Promise<Job> {
  const { path, body: wanted } = body(verb, vmIds)
  const { job } = await api.post<{ job: Job }>(path, wanted)
  follow(job)
  return job
}

const over = (job: Job | undefined): boolean => job?.state === 'done' || job?.state === 'cancelled'

/** Waits for the job's end on the stream; tells of what failed or stayed unknown, and of a single VM that was skipped. */
function follow(job: Job): void {
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
