/** Every power act of the UI goes through `askPower`: the dialog says what is touched and what it costs, then sends. */
import { useSyncExternalStore } from 'react'

import type { Verb } from '@/api/types'

export interface PowerAsk {
  verb: Verb
  vmIds: readonly number[]
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
export const askPower = (verb: Verb, vmIds: readonly number[], then?: (jobId: number) => void): void => set({ verb, vmIds, ...(then ? { then } : {}) })
export const endAsk = (): void => set(null)

export const usePowerAsk = (): PowerAsk | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => current,
  )
