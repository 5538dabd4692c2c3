import { api } from '@/api/client'
import type { Schedule } from '@/api/schedule-types'
import type { Job } from '@/api/types'
import { queryClient } from '@/app/query'
import { useWhenChanged } from '@/live/store'
import { askOrder } from '@/power/ask'
import { howBody, refs, targetsBody } from '@/power/order'

import { draftOf } from './model'

export const freshen = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ['schedules'] })

// What the stream told while no page of schedules was open is not in what they showed last.
queryClient.setQueryDefaults(['schedules'], { staleTime: 0 })

/** What is shown of schedules is asked for again when the stream tells that one looks different. */
export const useFreshSchedules = (): void => useWhenChanged(['schedules'], () => void freshen())

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
