/**
 * The consoles that are open in this tab of the browser. They belong to no page: a page only shows them, so
 * navigation never cuts a session.
 */
import { useSyncExternalStore } from 'react'

import { queryClient } from '@/app/query'
import { router } from '@/app/router'
import { sessionQuery } from '@/app/session'

import { keepConsoles, keptConsoles, moved } from './keep'
import { Screen, type ConsoleTab } from './screen'

export type { ConsoleState, ConsoleTab } from './screen'

/** As many as the largest tiling shows. */
export const MOST_AT_ONCE = 9

const screens = new Map<number, Screen>()
let tabs: readonly ConsoleTab[] = []
const listeners = new Set<() => void>()

/** Where the elements of consoles wait that no page shows: out of sight at their last size, never `display: none`. */
const shelf = document.createElement('div')
shelf.className = 'console-shelf'
shelf.inert = true

function tell(): void {
  tabs = [...screens.values()].map((screen) => screen.tab)
  for (const listener of listeners) listener()
}

export const consoleTabs = (): readonly ConsoleTab[] => tabs
export const screenOf = (vmId: number): Screen | undefined => screens.get(vmId)

export const useConsoleTabs = (): readonly ConsoleTab[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => tabs,
  )

const userId = (): number | undefined => queryClient.getQueryData(sessionQuery.queryKey)?.user.id

/** Remembers which consoles are open, once those from before a reload are open again. */
let keeping = false
function kept(): void {
  if (keeping) keepConsoles(userId(), [...screens.keys()])
}

/** Opens what was open before the page was loaded anew; once. */
export function restoreConsoles(): void {
  const user = userId()
  if (keeping || user === undefined) return
  keeping = true
  for (const vmId of keptConsoles(user)) start(vmId)
}

/** Starts the console of a VM unless it is open; goes nowhere. */
export function ensureConsole(vmId: number): void {
  restoreConsoles()
  start(vmId)
}

/** The same in a window of its own, which opens nothing else and is remembered by nobody. */
export function ensureOnly(vmId: number): void {
  start(vmId)
}

function start(vmId: number): void {
  if (screens.has(vmId)) return
  if (!shelf.isConnected) document.body.append(shelf)
  const screen = new Screen(vmId, tell)
  screens.set(vmId, screen)
  putAway(screen)
  kept()
  tell()
}

/** Moves a console's tab to another place among the tabs. */
export function moveConsole(vmId: number, to: number): void {
  const order = [...screens]
  const from = order.findIndex(([id]) => id === vmId)
  if (from < 0) return
  screens.clear()
  for (const [id, screen] of moved(order, from, to)) screens.set(id, screen)
  kept()
  tell()
}

/** Opens (or shows again) the screen of a VM and goes to the consoles. */
export function openConsole(vmId: number): void {
  ensureConsole(vmId)
  void router.navigate({ to: '/consoles', search: (before) => ({ tiles: (before as { tiles?: number }).tiles, vm: vmId }) })
}

/** Opens several side by side. */
export function openConsoles(vmIds: readonly number[]): void {
  const wanted = vmIds.slice(0, MOST_AT_ONCE)
  for (const vmId of wanted) ensureConsole(vmId)
  const open = tabs.length
  void router.navigate({ to: '/consoles', search: { vm: wanted[0], tiles: open > 4 ? 9 : open > 1 ? 4 : undefined } })
}

export function closeConsole(vmId: number): void {
  screens.get(vmId)?.close()
  screens.delete(vmId)
  kept()
  tell()
}

export function closeAllConsoles(): void {
  for (const screen of screens.values()) screen.close()
  screens.clear()
  kept()
  tell()
}

/** Shows a console's element in `place`; the answer puts it back on the shelf. */
export function borrow(vmId: number, place: HTMLElement): () => void {
  const screen = screens.get(vmId)
  if (!screen) return () => {}
  screen.frame.style.width = ''
  screen.frame.style.height = ''
  place.append(screen.frame)
  return () => {
    if (screens.get(vmId) === screen && screen.frame.parentElement === place) putAway(screen)
  }
}

function putAway({ frame }: Screen): void {
  const { width, height } = frame.getBoundingClientRect()
  frame.style.width = `${width || 800}px`
  frame.style.height = `${height || 600}px`
  shelf.append(frame)
}
