/** Which VMs the page shows, in which order, in which groups. Pure. */
import type { Pharmacy, Vm } from '@/api/types'
import { collator, ordered, Places } from '@/live/order'

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
/** What is known now, by id. */
export interface Known {
  /** Ids of each pharmacy's VMs; another array when one of them changed. */
  vmsOf: () => ReadonlyMap<number, readonly number[]>
  vm: (id: number) => Vm | undefined
  pharmacy: (id: number) => Pharmacy | undefined
}
/** VMs that stand together, in order: a pharmacy's, or all of a list that a column orders (`pharmacyId` 0). */
export interface Group {
  pharmacyId: number
  ids: readonly number[]
}

export interface Arranged {
  groups: readonly Group[]
  /** How many pharmacies have one of them. */
  places: number
}

const chosen = (words: string | undefined): ReadonlySet<string> | null => (words ? new Set(words.split(',')) : null)

/** Does a VM satisfy every filter that is about itself? The values of one filter are alternatives. */
function matcher(wanted: Wanted): (vm: Vm) => boolean {
  const types = chosen(wanted.type)
  const statuses = chosen(wanted.status)
  const hosts = chosen(wanted.hostStatus)
  const tags = chosen(wanted.tag)
  return (vm) =>
    (!wanted.found || wanted.found.has(vm.id)) &&
    (!types || types.has(vm.vm_type)) &&
    (!statuses || statuses.has(vm.status)) &&
    (!hosts || hosts.has(vm.host_status)) &&
    (!tags || vm.tags.some((tag) => tags.has(tag)))
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
const byPlace = (a: Vm, b: Vm): number => a.host_id - b.host_id || a.vmid - b.vmid || a.id - b.id
const names = new Places()

/** What was worked out of each pharmacy's VMs (`of` is the array of their ids then): good for one wish (filters, sort) only. */
export type Kept = Map<number, { of: readonly number[]; group: Group }>

/**
 * The VMs that satisfy the filters, in order. In the tree a pharmacy's VMs always stand together: `attention` and
 * `pharmacy` order the pharmacies, a column orders the VMs within each. `-` before the key turns it round. With `kept`
 * only pharmacies of which a VM changed are looked at again.
 */
export function arranged(known: Known, wanted: Wanted, sort: string, view: View, kept?: Kept): Arranged {
  const sign = sort.startsWith('-') ? -1 : 1
  const name = sort.replace(/^-/, '')
  const key = KEYS[name]
  const matches = matcher(wanted)
  const within = (a: Vm, b: Vm) => (key && view === 'tree' ? compare(key(a), key(b), sign) : 0) || byPlace(a, b)
  const groups: Group[] = []
  for (const [pharmacyId, all] of known.vmsOf()) {
    if (wanted.pharmacyId && pharmacyId !== wanted.pharmacyId) continue
    if (wanted.groupId && !known.pharmacy(pharmacyId)?.groups.some((group) => group.id === wanted.groupId)) continue
    const before = kept?.get(pharmacyId)
    let group = before?.of === all ? before.group : undefined
    if (!group) {
      group = { pharmacyId, ids: all.map((id) => known.vm(id)!).filter(matches).sort(within).map((vm) => vm.id) }
      kept?.set(pharmacyId, { of: all, group })
    }
    if (group.ids.length > 0) groups.push(group)
  }
  if (view === 'list' && key) {
    const vms = groups.flatMap(({ ids }) => ids.map((id) => known.vm(id)!)).sort(byPlace)
    return { places: groups.length, groups: vms.length > 0 ? [{ pharmacyId: 0, ids: ordered(vms, key, sign < 0).map((vm) => vm.id) }] : [] }
  }
  const turn = key ? 1 : sign
  const words = names.of(groups.map(({ pharmacyId }) => known.pharmacy(pharmacyId)?.name ?? ''))
  const places = groups.map((group, index) => ({ group, word: words[index]!, rank: name === 'pharmacy' ? 0 : urgency(known.pharmacy(group.pharmacyId)) }))
  places.sort((a, b) => turn * (a.rank - b.rank || a.word - b.word) || a.group.pharmacyId - b.group.pharmacyId)
  return { places: groups.length, groups: places.map(({ group }) => group) }
}

/** The same VMs in the same places. */
export const sameGroups = (a: readonly Group[], b: readonly Group[]): boolean =>
  a.length === b.length && a.every(({ pharmacyId, ids }, index) => {
    const other = b[index]!
    return pharmacyId === other.pharmacyId && (ids === other.ids || (ids.length === other.ids.length && ids.every((id, at) => id === other.ids[at])))
  })

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

/** The lines of the page: in the tree a head before each pharmacy's VMs, closed groups without their VMs. Made when asked for: there are many, and few are in sight. */
export class Lines {
  readonly length: number
  /** How many VMs, also those in closed groups. */
  readonly vms: number
  /** Line at which each group begins. */
  readonly #starts: Int32Array
  readonly #head: 0 | 1
  #ids: ReadonlySet<number> | undefined

  constructor(readonly groups: readonly Group[], view: View, private readonly totalOf: (pharmacyId: number) => number | undefined, private readonly closed: ReadonlySet<number>) {
    this.#head = view === 'tree' ? 1 : 0
    this.#starts = new Int32Array(groups.length)
    let length = 0
    let vms = 0
    groups.forEach((group, index) => {
      this.#starts[index] = length
      length += this.#head + (this.#isOpen(group) ? group.ids.length : 0)
      vms += group.ids.length
    })
    this.length = length
    this.vms = vms
  }

  #isOpen(group: Group): boolean {
    return this.#head === 0 || !this.closed.has(group.pharmacyId)
  }

  #groupAt(index: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= index) low = middle
      else high = middle - 1
    }
    return low
  }

  at(index: number): Item | undefined {
    if (index < 0 || index >= this.length) return undefined
    const place = this.#groupAt(index)
    const group = this.groups[place]!
    const own = index - this.#starts[place]! - this.#head
    if (own >= 0) return { kind: 'vm', id: group.ids[own]!, last: this.#head === 1 && own === group.ids.length - 1 }
    return { kind: 'group', pharmacyId: group.pharmacyId, ids: group.ids, total: this.totalOf(group.pharmacyId) ?? group.ids.length, open: this.#isOpen(group) }
  }

  /** How many heads stand above this line. */
  headsBefore(index: number): number {
    if (this.#head === 0 || this.length === 0) return 0
    if (index >= this.length) return this.groups.length
    const place = this.#groupAt(index)
    return place + (index > this.#starts[place]! ? 1 : 0)
  }

  /** The line of the head that this line stands under. */
  headOf(index: number): number {
    return this.#starts[this.#groupAt(index)] ?? 0
  }

  /** Ids of all VMs, also those in closed groups. */
  allIds(): number[] {
    return this.groups.flatMap(({ ids }) => ids)
  }

  /** Ids of the VMs that have a line, in order. */
  shownIds(): number[] {
    return this.groups.flatMap((group) => (this.#isOpen(group) ? group.ids : []))
  }

  has(id: number): boolean {
    return (this.#ids ??= new Set(this.allIds())).has(id)
  }
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
