import { Menu } from '@mantine/core'
import { Link } from '@tanstack/react-router'

import type { JobVerb, Verb } from '@/api/types'
import { useMay } from '@/consoles/may'
import { openConsole, openPlace, startThenOpen } from '@/consoles/tabs'
import { t } from '@/i18n'
import { useVm } from '@/live/store'
import { askPower } from '@/power/ask'

import { allowed, hasScreen } from './acts'

const VERBS: readonly Verb[] = ['start', 'resume', 'shutdown', 'reboot', 'stop', 'reset', 'suspend']
/** These want to know more: the form of jobs asks. */
const FORM: readonly JobVerb[] = ['snapshot', 'rollback', 'snapshot_delete', 'backup']

/** One menu for all lines: it stands where the button was pressed. */
export function VmMenu({ vmId, at, onClose, onOpen }: { vmId: number; at: DOMRect; onClose: () => void; onOpen: (id: number) => void }) {
  const vm = useVm(vmId)
  const mayType = useMay('console.terminal')
  if (!vm) return null
  return (
    <Menu opened onClose={onClose} position="bottom-end">
      <Menu.Target><span style={{ position: 'fixed', left: at.left, top: at.top, width: at.width, height: at.height, pointerEvents: 'none' }} /></Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{vm.pharmacy_name} {vm.vm_name}</Menu.Label>
        {hasScreen(vm) && <Menu.Item onClick={() => openConsole(vm.id)}>{t('act.open_screen')}</Menu.Item>}
        {mayType && vm.status === 'running' && !vm.stale && <Menu.Item onClick={() => openPlace({ kind: 'terminal', id: vm.id })}>{t(vm.guest_type === 'lxc' ? 'console.open_terminal' : 'console.open_serial')}</Menu.Item>}
        {vm.status === 'stopped' && allowed(vm, 'start') && <Menu.Item onClick={() => startThenOpen(vm.id)}>{t('console.start_open')}</Menu.Item>}
        {VERBS.filter((verb) => allowed(vm, verb)).map((verb) => <Menu.Item key={verb} onClick={() => askPower(verb, [vm.id])}>{t(`verb.${verb}`)}</Menu.Item>)}
        <Menu.Divider />
        {FORM.map((verb) => <Menu.Item key={verb} renderRoot={(props) => <Link {...props} to="/jobs/new" search={{ verb, vms: String(vm.id) }} />}>{t(`verb.${verb}`)}</Menu.Item>)}
        <Menu.Item renderRoot={(props) => <Link {...props} to="/schedules/new" search={{ vms: String(vm.id) }} />}>{t('schedules.add')}</Menu.Item>
        <Menu.Divider />
        <Menu.Item onClick={() => onOpen(vm.id)}>{t('vm.details')}</Menu.Item>
        <Menu.Item renderRoot={(props) => <Link {...props} to="/pharmacies/$pharmacyId" params={{ pharmacyId: vm.pharmacy_id }} />}>{t('console.open_pharmacy')}</Menu.Item>
        {vm.task && <Menu.Item renderRoot={(props) => <Link {...props} to="/jobs" search={{ job: vm.task!.job_id }} />}>{t('jobs.open')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
