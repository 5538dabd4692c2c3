import { useState } from 'react'

import { api } from '@/api/client'
import type { Vm, VmType } from '@/api/types'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'

const TYPES: readonly VmType[] = ['kiosk', 'pos', 'server', 'backup', 'other']

/** PharmQ's own words about a VM; nothing here is sent to its host. An empty choice gives the value back to tags, name and agent. */
export function VmForm({ vm }: { vm: Vm }) {
  const [type, setType] = useState<VmType | ''>(vm.vm_type_source === 'hand' ? vm.vm_type : '')
  const [ip, setIp] = useState(vm.ip_source === 'hand' ? (vm.ip_address ?? '') : '')
  const [description, setDescription] = useState(vm.description)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const change: Partial<Record<'vm_type' | 'ip_address' | 'description', string | null>> = {}
  if (type !== (vm.vm_type_source === 'hand' ? vm.vm_type : '')) change.vm_type = type || null
  if (ip.trim() !== (vm.ip_source === 'hand' ? vm.ip_address : '')) change.ip_address = ip.trim() || null
  if (description !== vm.description) change.description = description || null
  const changed = Object.keys(change).length > 0
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await api.patch<Vm>(`/api/vms/${vm.id}`, change)
      notifyDone(t('vms.saved'))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const ipError = fieldError(error, 'ip_address')
  return (
    <form className="form" onSubmit={(event) => void save(event)}>
      <h3>{t('vms.notes')}</h3>
      <label className="field">
        <span>{t('vms.type')}</span>
        <select className="native" value={type} onChange={(event) => setType(event.currentTarget.value as VmType | '')}>
          <option value="">{vm.vm_type_source === 'hand' ? t('vms.type_auto') : t('vms.type_auto_is', { type: t(`vm.type.${vm.vm_type}`) })}</option>
          {TYPES.map((one) => <option key={one} value={one}>{t(`vm.type.${one}`)}</option>)}
        </select>
      </label>
      <label className="field">
        <span>{t('vms.ip')}</span>
        <input className="native" value={ip} placeholder={vm.ip_source === 'hand' ? '' : t('vms.ip_auto', { ip: vm.ip_address ?? '–' })} autoComplete="off" spellCheck={false} aria-invalid={ipError !== undefined} onChange={(event) => setIp(event.currentTarget.value)} />
        {ipError && <span className="small off">{ipError}</span>}
      </label>
      <label className="field">
        <span>{t('vms.description')}</span>
        <textarea className="native" style={{ height: 'auto', padding: 8 }} rows={3} maxLength={8192} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
      </label>
      {!ipError && <Failure error={error} />}
      <div className="form-foot"><button type="submit" className="btn" disabled={!changed || busy}>{t('act.save')}</button></div>
    </form>
  )
}
