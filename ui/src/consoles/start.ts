/** "Start, then open": the screen opens when the host says that the VM runs, not when we asked for it. */
import { store } from '@/live/store'
import { askPower } from '@/power/ask'

import { openConsole } from './tabs'

/** Longest wait for a start before the person is left to open the screen by hand. */
const PATIENCE_MS = 120_000

export function startThenOpen(vmId: number): void {
  askPower('start', [vmId], () => {
    const done = () => {
      stop()
      clearTimeout(timer)
    }
    const look = () => {
      if (store.row('vms', vmId)?.status !== 'running') return
      done()
      openConsole(vmId)
    }
    const stop = store.watchRow('vms', vmId, look)
    const timer = setTimeout(done, PATIENCE_MS)
    look()
  })
}
