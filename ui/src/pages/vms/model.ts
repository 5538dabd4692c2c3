/** Which VMs the page shows, in which order, in which groups. Pure. */
import type { Pharmacy, Vm } from '@/api/types'
import { collator, ordered } from '@/live/order'

export interface Wanted {
  /** Ids the server's search found; null = nothing is searched for. */
  found: ReadonlySet<number> | null
  pharmacyId?: number
  groupId?: number
  /** Comma-separated, as in the address. */
  type?: string
  status?: string
  hostStatus?: string
  tag?: string
}

export type View = 'tree' | 'list'
type PharmacyOf = (id: number) => Pharmacy | undefined

const chosen = (words: string | undefined): ReadonlySet<string> | null => (words ? new Set(words.split(',')) : null)

/** VMs that satisfy every filter; the values of one filter are alternatives. */
export function matching(vms: readonly Vm[], wanted: Wanted, pharmacyOf: PharmacyOf): Vm[] {
  const types = chosen(wanted.type)
  const statuses = chosen(wanted.status)
  const hosts = chosen(wanted.hostStatus)
  const tags = chosen(wanted.tag)
  const inGroup = (vm: Vm) => pharmacyOf(vm.pharmacy_id)?.groups.some((group) => group.id === wanted.groupId) ?? false
  return vms.filter(
    (vm) =>
      (!wanted.found || wanted.found.has(vm.id)) &&
      (!wanted.pharmacyId || vm.pharmacy_id === wanted.pharmacyId) &&
      (!types || types.has(vm.vm_type)) &&
      (!statuses || statuses.has(vm.status)) &&
      (!hosts || hosts.has(vm.host_status)) &&
      (!tags || vm.tags.some((tag) => tags.has(tag))) &&
      (!wanted.groupId || inGroup(vm)),
  )
}

const RANK = { offline: 0, warning: 1, maintenance: 2, ok: 3, empty: 4 } as const

/** Smaller = wants a look sooner: open before closed, offline before warning, then the quiet ones. */
export function urgency(pharmacy: Pharmacy | undefined): number {
  if (!pharmacy) return 99
  const rank = RANK[pharmacy.state]
  return rank <= RANK.warning ? rank + (pharmacy.opening.state === 'open' ? 0 : 10) : 20 + rank
}

/** Dotted numbers by value: .9 before .10. */
const address = (ip: string | null): number | string | null => {
  const parts = ip?.split('.').map(Number)
  return parts?.length === 4 && parts.every(Number.isInteger) ? parts.reduce((sum, part) => sum * 256 + part, 0) : ip
}
const STATUS = { running: 0, suspended: 1, stopped: 2, unknown: 3 } as const
const KEYS: Record<string, (vm: Vm) => string | number | null> = {
  vmid: (vm) => vm.vmid,
  vm_name: (vm) => vm.vm_name,
  type: (vm) => vm.vm_type,
  status: (vm) => STATUS[vm.status],
  cpu: (vm) => (vm.status === 'running' ? vm.cpu : null),
  memory: (vm) => (vm.status === 'running' && vm.memory_used_mb !== null && vm.memory_mb ? vm.memory_used_mb / vm.memory_mb : null),
  ip: (vm) => address(vm.ip_address),
  uptime: (vm) => (vm.status === 'running' ? vm.uptime_s : null),
}
/** Sorts whose values move with every poll. */
export const LIVE_SORTS: ReadonlySet<string> = new Set(['cpu', 'memory', 'uptime'])

/** Unknown values last in both directions. */
function compare(a: string | number | null, b: string | number | null, sign: number): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b)
  return sign * collator.compare(String(a), String(b))
}
/** Hangul syllables stand in Unicode as in the dictionary: thousands of names need no collator. */
const named = (name: string) => ({ name, plain: /^[가-힣]+$/.test(name) })
type Named = ReturnType<typeof named>
const byName = (a: Named, b: Named): number => (a.plain && b.plain ? (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) : collator.compare(a.name, b.name))
const byPlace = (a: Vm, b: Vm): number => a.host_id - b.host_id || a.vmid - b.vmid || a.id - b.id

/**
 * Ids in order. In the tree a pharmacy's VMs always stand together: `attention` and `pharmacy` order the pharmacies,
 * a column orders the VMs within each. `-` before the key turns it round.
 */
export function arranged(vms: readonly Vm[], sort: string, view: View, pharmacyOf: PharmacyOf): number[] {
  const sign = sort.startsWith('-') ? -1 : 1
  const name = sort.replace(/^-/, '')
  const key = KEYS[name]
  const within = (a: Vm, b: Vm) => (key ? compare(key(a), key(b), sign) : 0) || byPlace(a, b)
  if (view === 'list' && key) return ordered(vms.toSorted(byPlace), key, sign < 0).map((vm) => vm.id)
  const groups = Map.groupBy(vms, (vm) => vm.pharmacy_id)
  const turn = key ? 1 : sign
  const places = [...groups.keys()].map((id) => ({ id, name: named(pharmacyOf(id)?.name ?? ''), rank: name === 'pharmacy' ? 0 : urgency(pharmacyOf(id)) }))
  places.sort((a, b) => turn * (a.rank - b.rank || byName(a.name, b.name)) || a.id - b.id)
  return places.flatMap(({ id }) => groups.get(id)!.toSorted(within).map((vm) => vm.id))
}

export interface GroupItem {
  kind: 'group'
  pharmacyId: number
  /** Its VMs that the filters leave, in order. */
  ids: readonly number[]
  /** All its VMs. */
  total: number
  open: boolean
}
export interface VmItem {
  kind: 'vm'
  id: number
  /** The last of its group: the tree's line ends here. */
  last: boolean
}
export type Item = GroupItem | VmItem

/** The lines of the page: in the tree a head before each pharmacy's VMs, closed groups without their VMs. */
export function lines(ids: readonly number[], view: View, pharmacyIdOf: (vmId: number) => number | undefined, totals: ReadonlyMap<number, number>, closed: ReadonlySet<number>): Item[] {
  if (view === 'list') return ids.map((id) => ({ kind: 'vm', id, last: false }))
  const out: Item[] = []
  for (const [pharmacyId, members] of Map.groupBy(ids, (id) => pharmacyIdOf(id) ?? 0)) {
    const open = !closed.has(pharmacyId)
    out.push({ kind: 'group', pharmacyId, ids: members, total: totals.get(pharmacyId) ?? members.length, open })
    if (open) members.forEach((id, index) => out.push({ kind: 'vm', id, last: index === members.length - 1 }))
  }
  return out
}

/** Selection after a click: a range from the last click with Shift, else one turned over. */
export function picked(before: ReadonlySet<number>, order: readonly number[], id: number, anchor: number | undefined, range: boolean): ReadonlySet<number> {
  const next = new Set(before)
  const from = anchor === undefined ? -1 : order.indexOf(anchor)
  const to = order.indexOf(id)
  if (range && from >= 0 && to >= 0) {
    for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(one)
  } else if (!next.delete(id)) next.add(id)
  return next
}

/** All of them in, or out when all are in already. */
export function pickedAll(before: ReadonlySet<number>, ids: readonly number[]): ReadonlySet<number> {
  const next = new Set(before)
  const all = ids.every((id) => next.has(id))
  for (const id of ids) if (all) next.delete(id); else next.add(id)
  return next
}
