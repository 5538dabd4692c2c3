import { useEffect, useState } from 'react'

import type { Vm } from '@/api/types'
import { store } from '@/live/store'

const EVERY_MS = 1000
const EVERY_MEASURED_MS = 3000

/** All VMs in a new object when something that decides a list's members or order changed: at most once a second; with `measures` also when loads moved. */
export function useMembers(measures: boolean): { rows: readonly Vm[] } {
  const [seen, setSeen] = useState(() => ({ rows: store.rows('vms') }))
  useEffect(() => {
    const every = measures ? EVERY_MEASURED_MS : EVERY_MS
    let timer: ReturnType<typeof setTimeout> | undefined
    let last = 0
    const take = () => {
      timer = undefined
      last = performance.now()
      setSeen({ rows: store.rows('vms') })
    }
    const note = () => {
      timer ??= setTimeout(take, Math.max(0, every - (performance.now() - last)))
    }
    note()
    const stops = [store.watchMembers('vms', note), store.watchMembers('pharmacies', note), ...(measures ? [store.watchKind('vms', note)] : [])]
    return () => {
      clearTimeout(timer)
      for (const stop of stops) stop()
    }
  }, [measures])
  return seen
}
