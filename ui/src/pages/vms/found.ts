import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { api } from '@/api/client'
import type { List, Vm } from '@/api/types'
import type { Found } from '@/live/find'

const PAGE = 1000
/** Words that match more than this say too little to be worth more pages. */
const MOST = 20_000

async function ids(q: string, signal: AbortSignal): Promise<ReadonlySet<number>> {
  const out = new Set<number>()
  for (let offset = 0; offset < MOST; offset += PAGE) {
    const { items, total } = await api.get<List<Vm>>('/api/vms', { query: { q, limit: PAGE, offset }, signal })
    for (const { id } of items) out.add(id)
    if (items.length === 0 || offset + PAGE >= total) break
  }
  return out
}

/** Ids of VMs that match `q` by the server's search: names, IPs, VMIDs, tags, their pharmacy, initial consonants, wrong IME. */
export function useFoundVms(q: string | undefined): Found {
  const asked = q?.trim() ?? ''
  const { data, error } = useQuery({
    queryKey: ['vms', 'search', asked],
    queryFn: ({ signal }) => ids(asked, signal),
    enabled: asked !== '',
    placeholderData: keepPreviousData,
    refetchInterval: 10_000,
  })
  return { ids: asked === '' ? null : (data ?? NOBODY), error }
}
const NOBODY: ReadonlySet<number> = new Set()
