/** The server's search as a set of ids: initial consonants, wrong IME and phone digits are its knowledge. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { api } from '@/api/client'
import type { List, SearchHit } from '@/api/types'

export interface Found {
  /** null = nothing is searched for; every row stands. */
  ids: ReadonlySet<number> | null
  error: unknown
  /** More match than were asked for. */
  cut?: boolean
}

/** Ids of pharmacies that match `q`, by themselves or by a host or VM of theirs. */
export function useFoundPharmacies(q: string | undefined): Found {
  const asked = q?.trim() ?? ''
  const { data, error } = useQuery({
    queryKey: ['search', asked, 1000],
    queryFn: ({ signal }) => api.get<List<SearchHit>>('/api/search', { query: { q: asked, limit: 1000 }, signal }),
    enabled: asked !== '',
    placeholderData: keepPreviousData,
    select: found,
  })
  return { ids: asked === '' ? null : (data?.ids ?? NOBODY), error, cut: asked !== '' && (data?.cut ?? false) }
}

const NOBODY: ReadonlySet<number> = new Set()
const found = (list: List<SearchHit>): { ids: ReadonlySet<number>; cut: boolean } => ({
  cut: list.total > list.items.length,
  ids: new Set(list.items.map((hit) => (hit.type === 'pharmacy' ? hit.id : hit.pharmacy_id)).filter((id) => id !== null)),
})
