/** Passing notices at the foot of the screen; a failed act's three parts, or a short word of success. */
import { useSyncExternalStore } from 'react'

export interface Notice {
  id: number
  kind: 'done' | 'failed'
  text?: string
  error?: unknown
}

let notices: readonly Notice[] = []
let next = 1
const listeners = new Set<() => void>()
const tell = () => {
  for (const listener of listeners) listener()
}

export function dismiss(id: number): void {
  notices = notices.filter((one) => one.id !== id)
  tell()
}

function show(notice: Omit<Notice, 'id'>, ms: number): void {
  const id = next++
  notices = [...notices.slice(-2), { ...notice, id }]
  tell()
  setTimeout(() => dismiss(id), ms)
}

export const notifyDone = (text: string): void => show({ kind: 'done', text }, 4_000)
export const notifyFailed = (error: unknown): void => show({ kind: 'failed', error }, 15_000)

export const useNotices = (): readonly Notice[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => notices,
  )
