/** Asks the server for the one-time address of a console. */
import { api, ApiError } from '@/api/client'
import type { Host, Pharmacy, Vm, VncSession } from '@/api/types'
import { store } from '@/live/store'

import type { Place } from './place'

interface Wish {
  start: boolean
  viewOnly: boolean
  signal: AbortSignal
}

/** Why the screens of a pharmacy are opened, where its contract asks: said once in this browser tab, told with each. */
const reasons = new Map<number, string>()
export const reasonFor = (pharmacyId: number): string => reasons.get(pharmacyId) ?? ''
export const giveReason = (pharmacyId: number, reason: string): void => void reasons.set(pharmacyId, reason)

/** Not asked for in vain: the server would refuse it and write the refusal down. */
async function reasonOr(pharmacyId: number, signal: AbortSignal): Promise<string> {
  const known = reasonFor(pharmacyId)
  if (known) return known
  const pharmacy = store.row('pharmacies', pharmacyId) ?? (await api.get<Pharmacy>(`/api/pharmacies/${pharmacyId}`, { signal }))
  if (pharmacy.screen_reason && pharmacy.screens_allowed) throw new ApiError(400, 'console.reason_required')
  return ''
}

export async function askTicket({ kind, id }: Place, { start, viewOnly, signal }: Wish): Promise<VncSession> {
  if (kind === 'shell') {
    const host = store.row('hosts', id) ?? (await api.get<Host>(`/api/proxmox/hosts/${id}`, { signal }))
    return await api.post<VncSession>(`/api/proxmox/hosts/${id}/shell`, { purpose: await reasonOr(host.pharmacy_id, signal) }, { signal })
  }
  const vm = store.row('vms', id) ?? (await api.get<Vm>(`/api/vms/${id}`, { signal }))
  if (vm.missing_since !== null) throw new ApiError(409, 'console.vm_gone')
  const { pharmacy_id, vmid, host_id } = vm
  const purpose = await reasonOr(pharmacy_id, signal)
  return await api.post<VncSession>('/api/vnc/connect', { pharmacy_id, vmid, host_id, kind, start, purpose, ...(viewOnly && kind === 'screen' ? { mode: 'view' } : {}) }, { signal })
}
