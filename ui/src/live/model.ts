/** What the live stream says and how it changes what we hold: pure, shared by the worker and the tabs. */
import type { Host, Job, JournalEvent, Pharmacy, Summary, Viewers, Vm } from '@/api/types'

export const KINDS = ['pharmacies', 'hosts', 'vms', 'jobs', 'screens', 'schedules'] as const
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

/** What the worker tells its tabs. */
export type LiveMessage =
  | { type: 'snapshot'; rows: Snapshot }
  | { type: 'delta'; delta: Delta }
  | { type: 'link'; state: LinkState }
  | { type: 'refused' }

/** Collects the parts of a snapshot; a part of another snapshot starts anew. */
export class SnapshotBuilder {
  #key = ''
  #seen = new Set<number>()
  #rows: Snapshot = noRows()

  /** The whole snapshot when `part` was the last one missing. */
  add(part: SnapshotPart): Snapshot | undefined {
    const key = `${part.epoch}:${part.seq}:${part.parts}`
    if (key !== this.#key || this.#seen.has(part.part)) {
      this.#key = key
      this.#seen = new Set()
      this.#rows = noRows()
    }
    this.#seen.add(part.part)
    for (const kind of KINDS) {
      const rows = part[kind]
      if (rows) (this.#rows[kind] as unknown[]).push(...rows)
    }
    if (part.summary) this.#rows.summary = part.summary
    if (this.#seen.size < part.parts) return undefined
    this.#key = ''
    return this.#rows
  }
}

export const noRows = (): Snapshot => ({ ...ofEach<never[]>(() => []), summary: null })

const EVENTS_KEPT = 100

/** Everything known now, by id. `apply` answers which ids changed, so that only their rows draw again. */
export class World {
  readonly maps: { [K in Kind]: Map<number, RowOf[K]> } = ofEach(() => new Map())
  /** Ids of each pharmacy's VMs: another array as soon as one of them changed in more than its measurements, so that what was worked out of an array holds for as long as the array does. */
  readonly vmsOf = new Map<number, readonly number[]>()
  summary: Summary | null = null
  events: readonly JournalEvent[] = []
  ready = false

  replace(rows: Snapshot): void {
    for (const kind of KINDS) {
      const map = this.maps[kind] as Map<number, { id: number }>
      map.clear()
      if (kind === 'vms') this.vmsOf.clear()
      this.#put(kind, rows[kind])
    }
    this.summary = rows.summary
    this.ready = true
  }

  /** `changed`: rows that came or went; `sampled`: rows of which only measurements moved. */
  apply(delta: Delta): { changed: Changed; sampled: Changed } {
    const changed = none()
    for (const kind of KINDS) {
      const map = this.maps[kind] as Map<number, { id: number }>
      const set = delta.set?.[kind] ?? []
      this.#put(kind, set)
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

  #put(kind: Kind, rows: Iterable<{ id: number }>): void {
    const map = this.maps[kind] as Map<number, { id: number }>
    for (const row of rows) {
      if (kind === 'vms') this.#house(row as Vm)
      map.set(row.id, row)
    }
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

  snapshot(): Snapshot {
    return {
      pharmacies: [...this.maps.pharmacies.values()],
      hosts: [...this.maps.hosts.values()],
      vms: [...this.maps.vms.values()],
      jobs: [...this.maps.jobs.values()],
      screens: [...this.maps.screens.values()],
      schedules: [...this.maps.schedules.values()],
      summary: this.summary,
    }
  }
}
