/** The server's search as a set of ids: initial consonants, wrong IME and phone digits are its knowledge. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { api } from '@/api/client'
import type { List, SearchHit } from '@/api/types'

export interface Found {
  /** null = nothing is searched for; every row stands. */
  ids: ReadonlySet<number> | null
  error: unknown
}

/** Ids of pharmacies that match `q`, by themselves or by a host or VM of theirs. */
export function useFoundPharmacies(q: string | undefined): Found {
  const asked = q?.trim() ?? ''
  const { data, error } = useQuery({
    queryKey: ['search', asked, 1000],
    queryFn: ({ signal }) => api.get<List<SearchHit>>('/api/search', { query: { q: asked, limit: 1000 }, signal }),
    enabled: asked !== '',
    placeholderData: keepPreviousData,
    select: pharmacyIds,
  })
  return { ids: asked === '' ? null : (data ?? NOBODY), error }
}

const NOBODY: ReadonlySet<number> = new Set()
const pharmacyIds = (list: List<SearchHit>): ReadonlySet<number> =>
  new Set(list.items.map((hit) => (hit.type === 'pharmacy' ? hit.id : hit.pharmacy_id)).filter((id) => id !== null))
