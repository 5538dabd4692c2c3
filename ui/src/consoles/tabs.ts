/**
 * The consoles that are open in this tab of the browser. They belong to no page: a page only shows them, so
 * navigation never cuts a session.
 */
import { useSyncExternalStore } from 'react'

import { router } from '@/app/router'

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

/** Starts the console of a VM unless it is open; goes nowhere. */
export function ensureConsole(vmId: number): void {
  if (screens.has(vmId)) return
  if (!shelf.isConnected) document.body.append(shelf)
  const screen = new Screen(vmId, tell)
  screens.set(vmId, screen)
  putAway(screen)
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
  tell()
}

export function closeAllConsoles(): void {
  for (const screen of screens.values()) screen.close()
  screens.clear()
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
