import { useGroups } from '@/access/places'
import type { Schedule, ScheduleRun } from '@/api/schedule-types'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { store } from '@/live/store'
import { State } from '@/parts/State'

import { runMark } from './words'

export function RunMark({ run }: { run: Pick<ScheduleRun, 'state' | 'counts'> }) {
  const { sign, tone, words } = runMark(run)
  return <State sign={sign} tone={tone as 'run'}>{words}</State>
}

/** Which VMs, in one line: "서울 · POS, 키오스크" or "VM 12대". */
export function TargetWords({ targets }: { targets: Schedule['targets'] }) {
  const groups = useGroups()
  if (targets.vms) {
    const [only] = targets.vms
    if (targets.vms.length === 1 && only) return <>{only.vm_name ? `${only.pharmacy_name} ${only.vm_name}` : t('order.gone_vm', { vmid: only.vmid })}</>
    return <>{t('schedules.vms', { n: count(targets.vms.length) })}</>
  }
  const filter = targets.filter!
  const parts = [
    filter.group_id.map((id) => groups.data?.items.find((one) => one.id === id)?.name ?? `#${id}`).join(', '),
    filter.pharmacy_id.length > 3 ? t('vms.places', { n: filter.pharmacy_id.length }) : filter.pharmacy_id.map((id) => store.row('pharmacies', id)?.name ?? `#${id}`).join(', '),
    filter.host_id.map((id) => store.row('hosts', id)?.host_ip ?? `#${id}`).join(', '),
    filter.type.map((one) => t(`vm.type.${one}`)).join(', '),
    filter.status.map((one) => t(`vm.status.${one}`)).join(', '),
    filter.host_status.map((one) => t(`host.status.${one}`)).join(', '),
    filter.tag.map((one) => `#${one}`).join(', '),
    filter.q && `“${filter.q}”`,
  ].filter(Boolean)
  return <>{parts.length > 0 ? parts.join(' · ') : t('schedules.all_vms')}</>
}
