import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { JournalEvent, List } from '@/api/types'

import { useLiveEvents } from './store'

/** The latest events, newest first: what was there when the page came, then what the stream adds. */
export function useLatestEvents(pharmacyId: number | undefined, limit: number): readonly JournalEvent[] {
  const first = useQuery({
    queryKey: ['events', 'latest', pharmacyId ?? 0, limit],
    queryFn: ({ signal }) => api.get<List<JournalEvent>>('/api/events', { query: { pharmacy_id: pharmacyId, limit }, signal }),
  })
  const live = useLiveEvents()
  return useMemo(() => {
    const own = pharmacyId === undefined ? live : live.filter((event) => event.pharmacy_id === pharmacyId)
    const merged = new Map([...own, ...(first.data?.items ?? [])].map((event) => [event.seq, event]))
    return [...merged.values()].toSorted((a, b) => b.seq - a.seq).slice(0, limit)
  }, [live, first.data, pharmacyId, limit])
}
