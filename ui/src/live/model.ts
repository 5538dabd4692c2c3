/** What the live stream says and how it changes what we hold: pure, shared by the worker and the tabs. */
import type { Host, Job, JournalEvent, Pharmacy, Summary, Viewers, Vm } from '@/api/types'

/** As a snapshot brings them: VMs, of which there are most, come last. */
export const KINDS = ['pharmacies', 'hosts', 'jobs', 'screens', 'schedules', 'vms'] as const
export type Kind = (typeof KINDS)[number]
export interface RowOf {
  pharmacies: Pharmacy
  hosts: Host
  vms: Vm
  jobs: Job
  /** Who is on a VM's screen; no row while nobody is. */
  screens: Viewers
  /** Only that it is there and may be asked for; it comes again whenever it looks different. */
  schedules: { id: number }
}
export type Rows = { [K in Kind]: RowOf[K][] }
type Ids = { [K in Kind]: number[] }

/** One value for each kind. */
export const ofEach = <T>(make: () => T): { [K in Kind]: T } => Object.fromEntries(KINDS.map((kind) => [kind, make()])) as { [K in Kind]: T }

/** One part of a snapshot; a snapshot is complete when `parts` of them came. */
export interface SnapshotPart extends Partial<Rows> {
  epoch: string | number
  seq: number
  part: number
  parts: number
  summary?: Summary | null
}

/** Rows as lists of their values, the fields' names before them. */
type Table = [string[], ...unknown[][]]
/** A part as it travels. */
type FoldedPart = SnapshotPart & { tables?: { [K in Kind]?: Table } }

export interface Delta {
  seq: number
  set?: Partial<Rows>
  del?: Partial<Ids>
  summary?: Summary | null
  events?: JournalEvent[]
  /** Measurements that change no row's place in a list: `[vm id, cpu 0..1, memory MB, uptime s]`. */
  samples?: [number, number | null, number | null, number | null][]
  /** `[host id, last contact, cpu 0..1, memory bytes, storage bytes]`. */
  host_samples?: [number, string | null, number | null, number | null, number | null, string | null][]
}

export type Changed = { [K in Kind]: number[] }
const none = (): Changed => ofEach(() => [])

export interface Snapshot extends Rows {
  summary: Summary | null
}

export type LinkState = 'connecting' | 'live' | 'lost'

export type LiveMessage =
  | { type: 'snapshot'; rows: Snapshot }
  | { type: 'part'; part: SnapshotPart }
  | { type: 'delta'; delta: Delta }
  | { type: 'link'; state: LinkState }
  | { type: 'refused' }
/** What the worker tells its tabs. Parts and deltas go on as the text they came as: reading it costs a tab half of what taking over a copy of the rows would. */
export type WorkerMessage = LiveMessage | { type: 'text'; as: 'part' | 'delta'; text: string }

/** Objects of a table. Each is a copy of the first with values of its own: they share one layout in memory. */
function rowsOf([names, ...lists]: Table): unknown[] {
  const like = Object.fromEntries(names.map((name) => [name, null])) as Record<string, unknown>
  return lists.map((values) => {
    const row = { ...like }
    for (let at = 0; at < names.length; at += 1) row[names[at]!] = values[at]
    return row
  })
}

function unfolded({ tables, ...part }: FoldedPart): SnapshotPart {
  const rows = Object.entries(tables ?? {}).map(([kind, table]) => [kind, rowsOf(table)])
  return { ...part, ...(Object.fromEntries(rows) as Partial<Rows>) }
}

export function read(message: WorkerMessage): LiveMessage {
  if (message.type !== 'text') return message
  const body: unknown = JSON.parse(message.text)
  return message.as === 'part' ? { type: 'part', part: unfolded(body as FoldedPart) } : { type: 'delta', delta: body as Delta }
}

/** Collects the parts of a snapshot into a world of their own, so that the last part costs no more than the others; a part of another snapshot starts anew. */
export class SnapshotBuilder {
  #key = ''
  #seen = new Set<number>()
  #world = new World()
  #inOrder = true

  /** What came so far, once all but VMs is there. */
  get places(): World | undefined {
    return this.#inOrder && this.#world.maps.vms.size > 0 ? this.#world : undefined
  }

  /** Some parts came, others have not yet. */
  get midway(): boolean {
    return this.#key !== ''
  }

  /** The whole when `part` was the last one missing. */
  add(part: SnapshotPart): World | undefined {
    const key = `${part.epoch}:${part.seq}:${part.parts}`
    if (key !== this.#key || this.#seen.has(part.part)) {
      this.#key = key
      this.#seen = new Set()
      this.#world = new World()
      this.#inOrder = true
    }
    this.#inOrder &&= part.part === this.#seen.size
    this.#seen.add(part.part)
    for (const kind of KINDS) {
      this.#world.put(kind, part[kind] ?? [])
    }
    if (part.summary) this.#world.summary = part.summary
    if (this.#seen.size < part.parts) return undefined
    this.#key = ''
    return this.#world
  }
}

export const noRows = (): Snapshot => ({ ...ofEach<never[]>(() => []), summary: null })

const EVENTS_KEPT = 100
const PART_ROWS = 500

/** Everything known now, by id. `apply` answers which ids changed, so that only their rows draw again. */
export class World {
  maps: { [K in Kind]: Map<number, RowOf[K]> } = ofEach(() => new Map())
  /** Ids of each pharmacy's VMs: another array as soon as one of them changed in more than its measurements, so that what was worked out of an array holds for as long as the array does. */
  vmsOf = new Map<number, readonly number[]>()
  summary: Summary | null = null
  events: readonly JournalEvent[] = []
  /** All is there. */
  ready = false
  /** All but VMs is there: pages that show none need not wait. */
  placed = false

  replace(rows: Snapshot): void {
    const made = new World()
    for (const kind of KINDS) made.put(kind, rows[kind] as RowOf[typeof kind][])
    made.summary = rows.summary
    this.adopt(made)
  }

  /** Take over what another world holds. */
  adopt(other: World): void {
    this.maps = other.maps
    this.vmsOf = other.vmsOf
    this.summary = other.summary
    this.ready = this.placed = true
  }

  /** Take over all but VMs. */
  adoptPlaces(other: World): void {
    this.maps = { ...other.maps, vms: this.maps.vms }
    this.summary = other.summary
    this.placed = true
  }

  put<K extends Kind>(kind: K, rows: Iterable<RowOf[K]>): void {
    const map = this.maps[kind] as Map<number, { id: number }>
    for (const row of rows) {
      if (kind === 'vms') this.#house(row as Vm)
      map.set(row.id, row)
    }
  }

  /** `changed`: rows that came or went; `sampled`: rows of which only measurements moved. */
  apply(delta: Delta): { changed: Changed; sampled: Changed } {
    const changed = none()
    for (const kind of KINDS) {
      const map = this.maps[kind] as Map<number, { id: number }>
      const set = delta.set?.[kind] ?? []
      this.put(kind, set as RowOf[typeof kind][])
      for (const row of set) changed[kind].push(row.id)
      for (const id of delta.del?.[kind] ?? []) {
        if (kind === 'vms') this.#leave(this.maps.vms.get(id))
        if (map.delete(id)) changed[kind].push(id)
      }
    }
    if (delta.summary) this.summary = delta.summary
    if (delta.events?.length) this.events = [...delta.events.toReversed(), ...this.events].slice(0, EVENTS_KEPT)
    return { changed, sampled: this.#measure(delta) }
  }

  #house(vm: Vm): void {
    const before = this.maps.vms.get(vm.id)
    const stays = before?.pharmacy_id === vm.pharmacy_id
    if (!stays) this.#leave(before)
    const there = this.vmsOf.get(vm.pharmacy_id) ?? []
    this.vmsOf.set(vm.pharmacy_id, stays ? [...there] : [...there, vm.id])
  }

  #leave(vm: Vm | undefined): void {
    if (!vm) return
    const left = this.vmsOf.get(vm.pharmacy_id)?.filter((id) => id !== vm.id) ?? []
    if (left.length > 0) this.vmsOf.set(vm.pharmacy_id, left)
    else this.vmsOf.delete(vm.pharmacy_id)
  }

  #measure(delta: Delta): Changed {
    const sampled = none()
    for (const [id, cpu, memory_used_mb, uptime_s] of delta.samples ?? []) {
      const vm = this.maps.vms.get(id)
      if (!vm) continue
      this.maps.vms.set(id, { ...vm, cpu, memory_used_mb, uptime_s })
      sampled.vms.push(id)
    }
    for (const [id, last_contact, cpu, memory_used, storage_used, last_check] of delta.host_samples ?? []) {
      const host = this.maps.hosts.get(id)
      if (!host) continue
      this.maps.hosts.set(id, { ...host, last_contact, last_check, cpu, memory_used, storage_used })
      sampled.hosts.push(id)
    }
    return sampled
  }

  /** All of it as a snapshot in parts. */
  *parts(key: string): Generator<SnapshotPart> {
    const all = KINDS.flatMap((kind) => {
      const rows = [...this.maps[kind].values()]
      return Array.from({ length: Math.ceil(rows.length / PART_ROWS) }, (_, at) => ({ [kind]: rows.slice(at * PART_ROWS, (at + 1) * PART_ROWS) }))
    })
    const parts = Math.max(1, all.length)
    for (let part = 0; part < parts; part += 1) yield { epoch: key, seq: 0, part, parts, summary: part === 0 ? this.summary : null, ...all[part] }
  }
}
