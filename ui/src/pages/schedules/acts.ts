import { api } from '@/api/client'
import type { Schedule } from '@/api/schedule-types'
import type { Job } from '@/api/types'
import { queryClient } from '@/app/query'
import { askOrder } from '@/power/ask'
import { howBody, refs, targetsBody } from '@/power/order'

import { draftOf } from './model'

export const freshen = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['schedules'] })

export async function setEnabled(schedule: Schedule, on: boolean): Promise<void> {
  await api.post(`/api/schedules/${schedule.id}/${on ? 'resume' : 'pause'}`)
  await freshen()
}

/** Some VM is left that it could run on. */
export const isRunnable = ({ targets }: Schedule): boolean => targets.vms === null || refs(targets.vms).length > 0

/** Asks as for any other act, by a dry run over the schedule's targets; what is sent is the schedule's own run. */
export function runNow(schedule: Schedule): void {
  const { how, targets } = draftOf(schedule)
  askOrder({
    order: { how, body: { ...howBody(how), ...targetsBody(targets) } },
    send: async () => (await api.post<{ job: Job }>(`/api/schedules/${schedule.id}/run`)).job,
    then: () => void freshen(),
  })
}
