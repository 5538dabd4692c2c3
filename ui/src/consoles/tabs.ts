/**
 * The consoles that are open in this tab of the browser. They belong to no page: a page only shows them, so
 * navigation never cuts a session.
 */
import { useSyncExternalStore } from 'react'

import { queryClient } from '@/app/query'
import { router } from '@/app/router'
import { sessionQuery } from '@/app/session'

import { keepConsoles, keptConsoles, moved } from './keep'
import { keyOf, placeOf, screenKey, searchOf, type Place } from './place'
import { Screen, type ConsoleTab } from './screen'

export type { ConsoleState, ConsoleTab } from './screen'

/** As many as the largest tiling shows. */
export const MOST_AT_ONCE = 9

const screens = new Map<string, Screen>()
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
export const screenOf = (key: string): Screen | undefined => screens.get(key)

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

/** Opens what was open before the page was loaded anew (once), and again what a locked screen had closed. */
export function restoreConsoles(): void {
  for (const screen of screens.values()) if (screen.tab.error?.code === 'console.locked') screen.reconnect()
  const user = userId()
  if (keeping || user === undefined) return
  keeping = true
  for (const key of keptConsoles(user)) open(key)
}

/** Starts a console unless it is open; goes nowhere. */
export function ensureConsole(key: string): void {
  restoreConsoles()
  open(key)
}

/** The same in a window of its own, which opens nothing else and is remembered by nobody. */
export const ensureOnly = (key: string): void => open(key)

function open(key: string, start = false): void {
  const place = placeOf(key)
  const known = screens.get(key)
  if (known && start && known.tab.state === 'lost') known.reconnect(true)
  if (!place || known) return
  if (!shelf.isConnected) document.body.append(shelf)
  const screen = new Screen(place, tell, start)
  screens.set(key, screen)
  putAway(screen)
  kept()
  tell()
}

/** Moves a console's tab to another place among the tabs. */
export function moveConsole(key: string, to: number): void {
  const order = [...screens]
  const from = order.findIndex(([one]) => one === key)
  if (from < 0) return
  screens.clear()
  for (const [one, screen] of moved(order, from, to)) screens.set(one, screen)
  kept()
  tell()
}

/** Opens (or shows again) a console and goes to the consoles. `start`: a stopped VM is started first. */
function show(key: string, start = false): void {
  restoreConsoles()
  open(key, start)
  void router.navigate({ to: '/consoles', search: (before) => ({ tiles: (before as { tiles?: number }).tiles, ...searchOf(key) }) })
}

export const openConsole = (vmId: number): void => show(screenKey(vmId))
/** "Start, then open": the server starts the VM and connects when the host says that it runs. */
export const startThenOpen = (vmId: number): void => show(screenKey(vmId), true)
export const openPlace = (place: Place): void => show(keyOf(place))

/** Opens several side by side. */
export function openConsoles(vmIds: readonly number[]): void {
  const wanted = vmIds.slice(0, MOST_AT_ONCE)
  for (const vmId of wanted) ensureConsole(screenKey(vmId))
  const count = tabs.length
  void router.navigate({ to: '/consoles', search: { vm: wanted[0], tiles: count > 4 ? 9 : count > 1 ? 4 : undefined } })
}

/** `successor`: a window of its own takes its place; the session ends when the window's has begun. */
export function closeConsole(key: string, successor = false): void {
  if (successor) screens.get(key)?.closeAfterAnother()
  else screens.get(key)?.close()
  screens.delete(key)
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
export function borrow(key: string, place: HTMLElement): () => void {
  const screen = screens.get(key)
  if (!screen) return () => {}
  screen.frame.style.width = ''
  screen.frame.style.height = ''
  place.append(screen.frame)
  return () => {
    if (screens.get(key) === screen && screen.frame.parentElement === place) putAway(screen)
  }
}

function putAway({ frame }: Screen): void {
  const { width, height } = frame.getBoundingClientRect()
  frame.style.width = `${width || 800}px`
  frame.style.height = `${height || 600}px`
  shelf.append(frame)
}
