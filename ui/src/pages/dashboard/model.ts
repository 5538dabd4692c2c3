/** What the dashboard shows, decided from rows. Pure. */
import type { Host, Pharmacy } from '@/api/types'
import { ordered } from '@/live/order'

export interface Region {
  name: string
  pharmacies: Pharmacy[]
}

const code = (pharmacy: Pharmacy): string => pharmacy.code

/** Pharmacies by region (in the regions' own order), then code: each keeps its place, so that eyes learn the map. */
export function byRegion(pharmacies: readonly Pharmacy[], other: string): Region[] {
  const regions = new Map<number, Region>()
  for (const pharmacy of ordered(pharmacies, code, false)) {
    const group = pharmacy.groups.find((one) => one.kind === 'region')
    const id = group?.id ?? Number.MAX_SAFE_INTEGER
    let region = regions.get(id)
    if (!region) regions.set(id, (region = { name: group?.name ?? other, pharmacies: [] }))
    region.pharmacies.push(pharmacy)
  }
  return [...regions.entries()]
    .toSorted(([a], [b]) => a - b)
    .map(([, region]) => region)
}

export const hostsOf = (pharmacy: Pharmacy, hosts: ReadonlyMap<number, Host>): Host[] =>
  pharmacy.host_ids.map((id) => hosts.get(id)).filter((host) => host !== undefined)

export interface Problems {
  offlineOpen: Pharmacy[]
  offlineClosed: Pharmacy[]
  warning: Pharmacy[]
}

/** Unknown hours count as open: a till that stands is worse than a false alarm. */
export const customersStand = (pharmacy: Pharmacy): boolean => pharmacy.opening.state === 'open' || pharmacy.opening.state === 'unknown'

/** Open before closed, offline before warning, newest first within each: the newest is the one about to ring. */
export function problems(pharmacies: readonly Pharmacy[], hosts: ReadonlyMap<number, Host>): Problems {
  const since = (pharmacy: Pharmacy): string =>
    hostsOf(pharmacy, hosts).reduce((latest, host) => (host.since && host.since > latest ? host.since : latest), '')
  const newest = (list: Pharmacy[]) => list.map((one) => [since(one), one] as const).toSorted(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0)).map(([, one]) => one)
  const offline = pharmacies.filter((one) => one.state === 'offline')
  return {
    offlineOpen: newest(offline.filter(customersStand)),
    offlineClosed: newest(offline.filter((one) => !customersStand(one))),
    warning: newest(pharmacies.filter((one) => one.state === 'warning')),
  }
}

export type Measure = 'cpu' | 'memory' | 'storage'
export function load(host: Host, measure: Measure): number | null {
  if (measure === 'cpu') return host.cpu
  const [used, total] = measure === 'memory' ? [host.memory_used, host.memory_total] : [host.storage_used, host.storage_total]
  return used === null || !total ? null : used / total
}

/** The `n` busiest online hosts by a measure; a host that does not answer has no present load. */
export function busiest(hosts: readonly Host[], measure: Measure, n: number): [Host, number][] {
  const top: [Host, number][] = []
  for (const host of hosts) {
    const value = host.status === 'offline' ? null : load(host, measure)
    if (value === null || (top.length === n && value <= top[n - 1]![1])) continue
    const place = top.findIndex(([, other]) => other < value)
    top.splice(place < 0 ? top.length : place, 0, [host, value])
    if (top.length > n) top.pop()
  }
  return top
}

/** A list cut into pieces of `n`. */
export const pieces = <T>(list: readonly T[], n: number): T[][] => Array.from({ length: Math.ceil(list.length / n) }, (_, at) => list.slice(at * n, (at + 1) * n))
/** The same rows, one by one. */
export const sameRows = (a: readonly unknown[], b: readonly unknown[]): boolean => a.length === b.length && a.every((row, at) => row === b[at])
