import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import type { List, Vm } from '@/api/types'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyFailed } from '@/parts/notify'
import { SearchField } from '@/parts/SearchField'
import { VmState } from '@/parts/State'

import type { Chosen } from '../order'

const SHOWN = 8
const AT_ONCE = 1000

export const chosenOf = (vm: Vm): Chosen => ({ vm_id: vm.id, host_id: vm.host_id, vmid: vm.vmid, vm_name: vm.vm_name, pharmacy_id: vm.pharmacy_id, pharmacy_name: vm.pharmacy_name })

const nameOf = (vm: Chosen): string => (vm.vm_name ? `${vm.pharmacy_name} ${vm.vm_name}` : t('order.gone_vm', { vmid: vm.vmid || `#${vm.vm_id}` }))

/** VMs by name: searched for, added, taken out again. */
export function VmPicker({ vms, onChange }: { vms: readonly Chosen[]; onChange: (vms: Chosen[]) => void }) {
  const [q, setQ] = useState('')
  const { data, error } = useQuery({
    queryKey: ['vm-picker', q],
    queryFn: ({ signal }) => api.get<List<Vm>>('/api/vms', { query: { q, limit: SHOWN }, signal }),
    enabled: q !== '',
    placeholderData: keepPreviousData,
  })
  const have = new Set(vms.map((vm) => vm.vm_id))
  const add = (more: readonly Vm[]) => onChange([...vms, ...more.filter((vm) => !have.has(vm.id)).map(chosenOf)])
  const addAll = async () => {
    try {
      add((await api.get<List<Vm>>('/api/vms', { query: { q, limit: AT_ONCE } })).items)
    } catch (caught) {
      notifyFailed(caught)
    }
  }
  const gone = vms.filter((vm) => vm.gone)
  return (
    <div className="vm-picker">
      <div className="row-flex wrap">
        <SearchField value={q} label={t('order.find_vm')} onSearch={setQ} />
        {q !== '' && data && data.total > 1 && <button type="button" className="btn" onClick={() => void addAll()}><Icon name="plus" />{t('order.add_all', { n: count(Math.min(data.total, AT_ONCE)) })}</button>}
      </div>
      <Failure error={error} />
      {q !== '' && data && (
        <ul className="vm-found" aria-label={t('palette.results')}>
          {data.items.map((vm) => (
            <li key={vm.id}>
              <span className="grow ellipsis"><span className="strong">{vm.vm_name}</span> <span className="t2">{vm.pharmacy_name}</span></span>
              <VmState status={vm.status} stale={vm.stale} />
              <button type="button" className="btn in-row" disabled={have.has(vm.id)} aria-label={t('order.add_one', { name: `${vm.pharmacy_name} ${vm.vm_name}` })} onClick={() => add([vm])}>{t(have.has(vm.id) ? 'order.added' : 'order.add')}</button>
            </li>
          ))}
          {data.items.length === 0 && <li className="t2">{t('list.none')}</li>}
          {data.total > data.items.length && <li className="small t3">{t('order.more_found', { n: count(data.total - data.items.length) })}</li>}
        </ul>
      )}
      <div className="vm-chosen">
        <p className="row-flex"><span className="strong">{t('vms.selected', { n: count(vms.length) })}</span>{vms.length > 0 && <button type="button" className="link small" onClick={() => onChange([])}>{t('vms.unselect')}</button>}</p>
        {vms.length === 0 && <p className="t2">{t('order.none_chosen')}</p>}
        {vms.length > 0 && (
          <ul aria-label={t('vms.selection')}>
            {vms.map((vm) => (
              <li key={vm.vm_id}>
                <span className={vm.gone ? 'chosen gone' : 'chosen'}>
                  <span className="ellipsis">{nameOf(vm)}</span>
                  <button type="button" aria-label={t('order.take_out', { name: nameOf(vm) })} onClick={() => onChange(vms.filter((one) => one !== vm))}><Icon name="close" size={12} /></button>
                </span>
              </li>
            ))}
          </ul>
        )}
        {gone.length > 0 && <p className="warn small">{t('order.gone_hint', { n: gone.length })}</p>}
      </div>
    </div>
  )
}
