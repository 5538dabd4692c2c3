/** A job and its items as signs and words. */
import type { Job, JobCounts, JobItem } from '@/api/types'
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

/** What a person may look at alone, worst first; each with the states of the API. */
export const COUNTED = ['failed', 'unknown', 'running', 'queued', 'cancelled', 'skipped', 'succeeded'] as const
export type Counted = (typeof COUNTED)[number]
export const statesOf = (counted: Counted): readonly JobItem['state'][] => (counted === 'running' ? ['sending', 'watching'] : [counted])
export const countedOf = (word: string | undefined): Counted | undefined => COUNTED.find((one) => one === word)

export const isOver = (job: Pick<Job, 'state'>): boolean => job.state === 'done' || job.state === 'cancelled'
export const ended = (job: Job): number => job.counts.total - job.counts.queued - job.counts.running

const AGAIN_MS = 3000
/** The stream tells of jobs only those who see everything. Others ask again, as long as a job is under way. */
export const lookAgain = (told: unknown, jobs: readonly Pick<Job, 'state'>[] | undefined): number | false => (!told && jobs?.some((job) => !isOver(job)) ? AGAIN_MS : false)

/** Seconds a job took, or has taken so far. */
export const took = (job: Job, nowMs: number): number | null =>
  job.started_at ? Math.max(0, ((job.finished_at ? Date.parse(job.finished_at) : nowMs) - Date.parse(job.started_at)) / 1000) : null

/** VMs a minute so far and the seconds that are left at this rate; null while too little is done to say. */
export function rate(job: Job, nowMs: number): { perMinute: number; left: number } | null {
  const acted = ended(job) - job.counts.skipped
  const seconds = took(job, nowMs) ?? 0
  if (isOver(job) || acted < 2 || seconds < 3) return null
  return { perMinute: (acted / seconds) * 60, left: ((job.counts.queued + job.counts.running) / acted) * seconds }
}

/** The states that a retry may take again, with how many there are. */
export const retryable = (counts: JobCounts): [state: 'failed' | 'unknown' | 'cancelled', n: number][] =>
  (['failed', 'unknown', 'cancelled'] as const).map((state) => [state, counts[state]] as [typeof state, number]).filter(([, n]) => n > 0)

/** The stream's jobs over a fetched page: newer words win, new jobs come first, the filter holds. */
export function merged(live: readonly Job[], page: readonly Job[], states: ReadonlySet<string> | null): Job[] {
  const all = new Map([...page, ...live].map((job) => [job.id, job]))
  return [...all.values()].filter((job) => !states || states.has(job.state)).toSorted((a, b) => b.id - a.id)
}
