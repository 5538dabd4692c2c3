/** What this browser remembers of how consoles are liked. */
import { useSyncExternalStore } from 'react'

import type { HangulKey } from './keys'
import type { Way } from './typing'

export type Quality = 'best' | 'balanced' | 'saving'

export interface Prefs {
  quality: Quality
  /** How Hangul is typed into VMs; containers take none. */
  way: Exclude<Way, 'plain'>
  hangulKey: HangulKey
  pace: Pace
}
export type Pace = 'quick' | 'slow'

/** Milliseconds between strokes: QEMU's keyboard holds 16 bytes, and slow guests need longer to empty it. */
export const PACE_MS: Readonly<Record<Pace, number>> = { quick: 25, slow: 90 }
/** noVNC's levels of JPEG quality and compression. */
export const LEVELS: Readonly<Record<Quality, { quality: number; compression: number }>> = {
  best: { quality: 9, compression: 1 },
  balanced: { quality: 6, compression: 2 },
  saving: { quality: 1, compression: 8 },
}

const STORAGE = 'pharmq.consoles.prefs'
const CHOICES: { readonly [K in keyof Prefs]: readonly Prefs[K][] } = {
  quality: ['balanced', 'best', 'saving'],
  way: ['keys', 'symbols'],
  hangulKey: ['lang1', 'right_alt'],
  pace: ['quick', 'slow'],
}

/** What was stored, each unknown value replaced by the first choice. */
export function readPrefs(stored: string | null): Prefs {
  let given: Record<string, unknown> = {}
  try {
    const value: unknown = JSON.parse(stored ?? '{}')
    if (typeof value === 'object' && value !== null) given = value as Record<string, unknown>
  } catch {
    // Written by hand or by another version: the defaults are good.
  }
  const pick = <K extends keyof Prefs>(name: K): Prefs[K] => CHOICES[name].find((choice) => choice === given[name]) ?? CHOICES[name][0]!
  return { quality: pick('quality'), way: pick('way'), hangulKey: pick('hangulKey'), pace: pick('pace') }
}

let now: Prefs | undefined
const listeners = new Set<() => void>()

export const prefs = (): Prefs => (now ??= readPrefs(localStorage.getItem(STORAGE)))

export function setPrefs(change: Partial<Prefs>): void {
  now = { ...prefs(), ...change }
  localStorage.setItem(STORAGE, JSON.stringify(now))
  for (const listener of listeners) listener()
}

export function onPrefs(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const usePrefs = (): Prefs => useSyncExternalStore(onPrefs, prefs)
