/** How the addresses of both histories become questions to the server. Days are Korean ones. */
export interface HistorySearch {
  kind?: string
  person?: string
  pharmacy_id?: number
  host_id?: number
  vm_id?: number
  from?: string
  to?: string
}

const DAY_MS = 86_400_000

/** The moment a Korean day begins. */
export const startOf = (day: string): string => `${day}T00:00:00+09:00`
/** The moment after its end. */
export const endOf = (day: string): string => new Date(Date.parse(startOf(day)) + DAY_MS).toISOString()

/** The parts of a search that both histories know, as query parameters; `kinds` are already families. */
export const asked = (search: HistorySearch, kinds: string[] | undefined) => ({
  pharmacy_id: search.pharmacy_id,
  host_id: search.host_id,
  vm_id: search.vm_id,
  person: search.person,
  kind: kinds,
  since: search.from && startOf(search.from),
  until: search.to && endOf(search.to),
})

/** The same as the body of an export: lists are lists there. */
export const filterOf = (query: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => [name, name === 'person' || name === 'since' || name === 'until' || Array.isArray(value) ? value : [value]]))
