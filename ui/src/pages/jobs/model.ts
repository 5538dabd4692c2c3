/** A job and its items as signs and words. */
import type { Job, JobItem } from '@/api/types'
import type { SignName } from '@/parts/Icon'

export type ItemState = JobItem['state'] | 'running'

export const ITEM_SIGN: Record<ItemState, [SignName, string]> = {
  queued: ['suspended', 'stop'],
  running: ['turning', 'stop'],
  sending: ['turning', 'stop'],
  watching: ['turning', 'stop'],
  succeeded: ['ok', 'run'],
  failed: ['cross', 'off'],
  skipped: ['stopped', 'stop'],
  unknown: ['unknown', 'warn'],
  cancelled: ['stopped', 'stop'],
}

export const isOver = (job: Job): boolean => job.state === 'done' || job.state === 'cancelled'
export const ended = (job: Job): number => job.counts.total - job.counts.queued - job.counts.running

/** Seconds a job took, or has taken so far. */
export const took = (job: Job, nowMs: number): number | null =>
  job.started_at ? Math.max(0, ((job.finished_at ? Date.parse(job.finished_at) : nowMs) - Date.parse(job.started_at)) / 1000) : null

/** The stream's jobs over a fetched page: newer words win, new jobs come first, the filter holds. */
export function merged(live: readonly Job[], page: readonly Job[], states: ReadonlySet<string> | null): Job[] {
  const all = new Map([...page, ...live].map((job) => [job.id, job]))
  return [...all.values()].filter((job) => !states || states.has(job.state)).toSorted((a, b) => b.id - a.id)
}
