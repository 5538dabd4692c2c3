/**
 * The consoles that are open in this tab of the browser. They belong to no page: a page only shows them, so
 * navigation never cuts a session.
 */
import { useSyncExternalStore } from 'react'

import { router } from '@/app/router'

export type ConsoleState = 'connecting' | 'connected' | 'view_only' | 'reconnecting' | 'lost'

export interface ConsoleTab {
  /** The VM's id: one console per VM and browser tab. */
  vmId: number
  state: ConsoleState
  /** Catalogue code (and parameters) of what ended it, while `lost`. */
  cause?: string
  causeParams?: Record<string, unknown>
}

let tabs: readonly ConsoleTab[] = []
const listeners = new Set<() => void>()

export function setTabs(next: readonly ConsoleTab[]): void {
  tabs = next
  for (const listener of listeners) listener()
}

export const consoleTabs = (): readonly ConsoleTab[] => tabs

export const useConsoleTabs = (): readonly ConsoleTab[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => tabs,
  )

/** Opens (or shows again) the screen of a VM and goes to the consoles. */
export function openConsole(vmId: number): void {
  if (!tabs.some((tab) => tab.vmId === vmId)) setTabs([...tabs, { vmId, state: 'connecting' }])
  void router.navigate({ to: '/consoles', search: { vm: vmId } })
}
