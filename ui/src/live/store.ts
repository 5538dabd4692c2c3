/**
 * What this tab knows, live. A row subscribes by its id, so a batch of 500 changes draws only the rows on screen.
 * Values come only from the stream; nothing here is optimistic.
 */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'

import type { JournalEvent, Summary } from '@/api/types'

import { KINDS, ofEach, SnapshotBuilder, World, type Kind, type LinkState, type LiveMessage, type RowOf } from './model'

type Listener = () => void

export class LiveStore {
  readonly world = new World()
  #builder = new SnapshotBuilder()
  link: LinkState = 'connecting'
  /** Grows with each change of a kind. */
  readonly versions: { [K in Kind]: number } = ofEach(() => 0)
  #byId: { [K in Kind]: Map<number, Set<Listener>> } = ofEach(() => new Map())
  #byKind: { [K in Kind]: Set<Listener> } = ofEach(() => new Set())
  #members: { [K in Kind]: Set<Listener> } = ofEach(() => new Set())
  #whole = new Set<Listener>()
  #lists: { [K in Kind]?: { version: number; rows: RowOf[K][] } } = {}

  receive(message: LiveMessage): void {
    if (message.type === 'part') {
      const whole = this.#builder.add(message.part)
      if (whole) this.world.adopt(whole)
      else if (!this.world.placed && this.#builder.places) this.world.adoptPlaces(this.#builder.places)
      else return
      this.#tellAll()
    } else if (message.type === 'link') this.link = message.state
    else if (message.type === 'snapshot') {
      this.world.replace(message.rows)
      this.#tellAll()
    } else if (message.type === 'delta') {
      const { changed, sampled } = this.world.apply(message.delta)
      for (const kind of KINDS) {
        if (changed[kind].length > 0) for (const listener of this.#members[kind]) listener()
        this.#tell(kind, changed[kind], sampled[kind])
      }
    }
    for (const listener of this.#whole) listener()
  }

  #tellAll(): void {
    for (const kind of KINDS) {
      this.versions[kind] += 1
      for (const listeners of this.#byId[kind].values()) for (const listener of listeners) listener()
      for (const listener of this.#byKind[kind]) listener()
      for (const listener of this.#members[kind]) listener()
    }
  }

  #tell(kind: Kind, changed: readonly number[], sampled: readonly number[]): void {
    if (changed.length + sampled.length === 0) return
    this.versions[kind] += 1
    for (const ids of [changed, sampled]) for (const id of ids) for (const listener of this.#byId[kind].get(id) ?? []) listener()
    for (const listener of this.#byKind[kind]) listener()
  }

  row<K extends Kind>(kind: K, id: number): RowOf[K] | undefined {
    return this.world.maps[kind].get(id) as RowOf[K] | undefined
  }

  /** All rows of a kind; the same array until something of that kind changes. */
  rows<K extends Kind>(kind: K): RowOf[K][] {
    const kept = this.#lists[kind] as { version: number; rows: RowOf[K][] } | undefined
    if (kept && kept.version === this.versions[kind]) return kept.rows
    const rows = [...this.world.maps[kind].values()] as RowOf[K][]
    ;(this.#lists as Record<Kind, unknown>)[kind] = { version: this.versions[kind], rows }
    return rows
  }

  watchRow(kind: Kind, id: number, listener: Listener): () => void {
    let listeners = this.#byId[kind].get(id)
    if (!listeners) this.#byId[kind].set(id, (listeners = new Set()))
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#byId[kind].delete(id)
    }
  }

  watchKind(kind: Kind, listener: Listener): () => void {
    this.#byKind[kind].add(listener)
    return () => this.#byKind[kind].delete(listener)
  }

  /** Rows of a kind came, went or changed in more than their measurements. */
  watchMembers(kind: Kind, listener: Listener): () => void {
    this.#members[kind].add(listener)
    return () => this.#members[kind].delete(listener)
  }

  /** Summary, events, link. */
  watch(listener: Listener): () => void {
    this.#whole.add(listener)
    return () => this.#whole.delete(listener)
  }
}

export const store = new LiveStore()

/** The row with this id, live; `undefined` while unknown. */
export function useRow<K extends Kind>(kind: K, id: number | undefined): RowOf[K] | undefined {
  const watch = useCallback((listener: Listener) => (id === undefined ? () => {} : store.watchRow(kind, id, listener)), [kind, id])
  return useSyncExternalStore(watch, () => (id === undefined ? undefined : store.row(kind, id)))
}
export const useVm = (id: number | undefined) => useRow('vms', id)
export const useHost = (id: number | undefined) => useRow('hosts', id)
export const usePharmacy = (id: number | undefined) => useRow('pharmacies', id)
export const useJob = (id: number | undefined) => useRow('jobs', id)
/** Who is on a VM's screen. */
export const useViewers = (id: number | undefined) => useRow('screens', id)

const watchWhole = (listener: Listener) => store.watch(listener)
export const useSummary = (): Summary | null => useSyncExternalStore(watchWhole, () => store.world.summary)
export const useLiveEvents = (): readonly JournalEvent[] => useSyncExternalStore(watchWhole, () => store.world.events)
export const useLink = (): LinkState => useSyncExternalStore(watchWhole, () => store.link)
/** Is everything known that a page shows: all, or all but VMs (`places`)? */
export const useReady = (what: 'all' | 'places' = 'all'): boolean => useSyncExternalStore(watchWhole, () => (what === 'all' ? store.world.ready : store.world.placed))

/** All rows of a kind for overviews: at most one new array each `everyMs`, so that bursts cost one draw. */
export function useRows<K extends Kind>(kind: K, everyMs = 1000): RowOf[K][] {
  const [rows, setRows] = useState(() => store.rows(kind))
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let last = 0
    const take = () => {
      timer = undefined
      last = performance.now()
      setRows(store.rows(kind))
    }
    const note = () => {
      if (!timer) timer = setTimeout(take, Math.max(0, everyMs - (performance.now() - last)))
    }
    take()
    const stop = store.watchKind(kind, note)
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [kind, everyMs])
  return rows
}

/** Another object when something that decides a list's members or order changed, at most once a second; with `measures` also when measurements moved. */
export function useChange(kind: Kind, measures: boolean, besides?: Kind): object {
  const [seen, setSeen] = useState<object>(() => ({}))
  useEffect(() => {
    const every = measures ? 3000 : 1000
    let timer: ReturnType<typeof setTimeout> | undefined
    let last = 0
    const take = () => {
      timer = undefined
      last = performance.now()
      setSeen({})
    }
    const note = () => {
      timer ??= setTimeout(take, Math.max(0, every - (performance.now() - last)))
    }
    note()
    const stops = [store.watchMembers(kind, note), ...(besides ? [store.watchMembers(besides, note)] : []), ...(measures ? [store.watchKind(kind, note)] : [])]
    return () => {
      clearTimeout(timer)
      for (const stop of stops) stop()
    }
  }, [kind, measures, besides])
  return seen
}

/** All rows of a kind, in a new array with each such change. */
export function useMembers<K extends Kind>(kind: K, measures: boolean): readonly RowOf[K][] {
  const seen = useChange(kind, measures)
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  return useMemo(() => [...store.rows(kind)], [kind, seen])
}

/** Calls `act` when rows of these kinds changed (more than their measurements): at most once each `everyMs`, and never while `held()` (a pointer is over the list). */
export function useWhenChanged(kinds: readonly Kind[], act: () => void, held: () => boolean = () => false, everyMs = 1000): void {
  const latest = useRef({ act, held })
  useEffect(() => {
    latest.current = { act, held }
  })
  const key = kinds.join()
  useEffect(() => {
    let dirty = false
    const stops = key.split(',').map((kind) => store.watchMembers(kind as Kind, () => (dirty = true)))
    const timer = setInterval(() => {
      if (!dirty || latest.current.held()) return
      dirty = false
      latest.current.act()
    }, everyMs)
    return () => {
      clearInterval(timer)
      for (const stop of stops) stop()
    }
  }, [key, everyMs])
}

let now = Date.now()
const clockListeners = new Set<Listener>()
let ticker: ReturnType<typeof setInterval> | undefined
function watchClock(listener: Listener): () => void {
  clockListeners.add(listener)
  ticker ??= setInterval(() => {
    now = Date.now()
    for (const one of clockListeners) one()
  }, 1000)
  return () => {
    clockListeners.delete(listener)
    if (clockListeners.size === 0) {
      clearInterval(ticker)
      ticker = undefined
    }
  }
}
/** The time in milliseconds, ticking once a `stepMs`: ages on screen grow together. */
export const useNow = (stepMs = 1000): number => useSyncExternalStore(watchClock, () => Math.floor(now / stepMs) * stepMs)
