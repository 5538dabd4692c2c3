/** Every power act of the UI goes through `askPower` or `askOrder`: the dialog says what is touched and what it costs, then sends. */
import { useSyncExternalStore } from 'react'

import type { Job, Verb } from '@/api/types'
import { store } from '@/live/store'

import { howBody, howOf, type Filter, type How } from './order'

/** What is asked of the API: the body of a batch. */
export interface Order {
  how: How
  body: { force: boolean; timeout_s?: number; options: How['options'] } & ({ vms: { host_id: number; vmid: number }[] } | { filter: Partial<Filter> })
}

export interface PowerAsk {
  order: Order
  /** The VMs by our ids, where they were chosen by hand: the way to the form with everything. */
  vmIds?: readonly number[]
  /** Sends it in another way than as a batch: "run now", a retry. */
  send?: () => Promise<Job>
  /** Runs after the job was accepted. */
  then?: (jobId: number) => void
}

let current: PowerAsk | null = null
const listeners = new Set<() => void>()

function set(next: PowerAsk | null): void {
  current = next
  for (const listener of listeners) listener()
}

/** Asks to act on these VMs; starting one or resuming one needs no question and is sent at once by the dialog layer. */
export function askPower(verb: Verb, vmIds: readonly number[], then?: (jobId: number) => void): void {
  const vms = vmIds.map((id) => store.row('vms', id)).filter((vm) => vm !== undefined).map(({ host_id, vmid }) => ({ host_id, vmid }))
  const how = howOf(verb)
  set({ order: { how, body: { ...howBody(how), vms } }, vmIds, ...(then ? { then } : {}) })
}
/** Asks for anything else: always with the question. */
export const askOrder = (ask: PowerAsk): void => set(ask)
export const endAsk = (): void => set(null)

export const usePowerAsk = (): PowerAsk | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )
