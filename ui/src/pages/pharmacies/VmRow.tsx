import { Menu } from '@mantine/core'
import { memo } from 'react'

import type { Verb, Vm } from '@/api/types'
import { router } from '@/app/router'
import { openConsole, startThenOpen } from '@/consoles/tabs'
import { t } from '@/i18n'
import { megabytes, span } from '@/i18n/format'
import { Ago, Bar, Lasting } from '@/parts/bits'
import { Icon, Sign } from '@/parts/Icon'
import { vmSign, vmTone } from '@/parts/State'
import { askPower } from '@/power/ask'

function MainAct({ vm, digit }: { vm: Vm; digit: number | undefined }) {
  const key = digit ? <kbd aria-hidden="true" className="phone-hide">{digit}</kbd> : null
  const shortcut = digit ? String(digit) : undefined
  if (vm.status === 'stopped') {
    return <button type="button" className="btn tint vm-main" aria-keyshortcuts={shortcut} aria-label={`${vm.vm_name} ${t('verb.start')}`} onClick={() => startThenOpen(vm.id)}><Icon name="play" />{t('verb.start')}{key}</button>
  }
  if (vm.status === 'suspended') {
    return <button type="button" className="btn tint vm-main" aria-label={`${vm.vm_name} ${t('verb.resume')}`} onClick={() => askPower('resume', [vm.id])}>{t('verb.resume')}{key}</button>
  }
  const none = vm.console === 'none'
  return (
    <button type="button" className="btn tint vm-main" aria-keyshortcuts={shortcut} disabled={none} title={none ? t('vm.no_screen') : undefined} aria-label={`${vm.vm_name} ${t('act.open_screen')}`} onClick={() => openConsole(vm.id)}>
      <Icon name="screen" />{t('act.open_screen')}{key}
    </button>
  )
}

const MORE: readonly Verb[] = ['shutdown', 'stop', 'reset', 'suspend']

function Acts({ vm, digit }: { vm: Vm; digit: number | undefined }) {
  if (vm.task) {
    return (
      <span className="vm-task small t2" role="status">
        {t('vm.task', { verb: t(`verb.${vm.task.verb}`) })} · <Lasting since={vm.task.started_at} />
        <span className="bar progress"><i className="moving"><b style={{ width: '40%' }} /></i></span>
      </span>
    )
  }
  const gone = vm.stale || vm.missing_since !== null
  const running = vm.status === 'running'
  return (
    <span className="vm-acts">
      {!gone && <MainAct vm={vm} digit={digit} />}
      {!gone && <button type="button" className="btn" disabled={!running} aria-label={`${vm.vm_name} ${t('verb.reboot')}`} onClick={() => askPower('reboot', [vm.id])}><Icon name="refresh" />{t('verb.reboot')}</button>}
      <Menu>
        <Menu.Target><button type="button" className="btn ghost icon" aria-label={`${vm.vm_name} ${t('nav.more')}`}><Icon name="more" /></button></Menu.Target>
        <Menu.Dropdown>
          {!gone && MORE.filter((verb) => !(verb === 'reset' && vm.guest_type === 'lxc')).map((verb) => <Menu.Item key={verb} disabled={!running} onClick={() => askPower(verb, [vm.id])}>{t(`verb.${verb}`)}</Menu.Item>)}
          <Menu.Item onClick={() => void router.navigate({ to: '/vms', search: { pharmacy_id: vm.pharmacy_id, vm: vm.id } })}>{t('vm.details')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </span>
  )
}

/** A VM during a call: what it is, how it is, and one act in a fixed place. */
export const VmRow = memo(function VmRow({ vm, digit }: { vm: Vm; digit: number | undefined }) {
  const needed = (vm.vm_type === 'kiosk' || vm.vm_type === 'pos') && vm.status === 'stopped' && !vm.stale
  const tone = vm.stale ? 'stop' : needed ? 'warn' : vmTone(vm.status)
  return (
    <div className={vm.stale ? 'vm-row stale' : 'vm-row'} role="group" aria-label={vm.vm_name}>
      <span className={tone}><Sign name={needed ? 'warning' : vmSign(vm.status)} /></span>
      <span className="vm-name"><span className="strong ellipsis">{vm.vm_name}</span><span className="small t2 ellipsis">{t(`vm.type.${vm.vm_type}`)} · {vm.guest_type === 'lxc' ? 'CT' : 'VM'} {vm.vmid}</span></span>
      <span className="vm-state">
        <span className={`${tone} ${vm.stale ? '' : 'strong'}`}>{t(`vm.status.${vm.status}`)}</span>
        <span className="small t2">
          {vm.missing_since ? <>{t('vm.missing')} · <Lasting since={vm.missing_since} /></> : vm.stale ? <Ago at={vm.last_sync} /> : vm.status === 'running' ? span(vm.uptime_s) : null}
        </span>
      </span>
      <span className="vm-load small phone-hide">
        {vm.status === 'running' ? (
          <>
            <span className="t2">CPU</span><Bar share={vm.cpu} label="CPU" />
            <span className="t2">{t('measure.memory')}</span><Bar share={vm.memory_used_mb !== null && vm.memory_mb ? vm.memory_used_mb / vm.memory_mb : null} label={t('measure.memory')} />
          </>
        ) : (
          <span className="t2 vm-size">{t('vm.size', { cores: vm.cpu_cores ?? '–', memory: megabytes(vm.memory_mb) })}<br />{t('vm.disk', { disk: vm.disk_gb ?? '–' })}</span>
        )}
      </span>
      <span className="vm-ip phone-hide">{vm.ip_address ?? '–'}</span>
      <Acts vm={vm} digit={digit} />
    </div>
  )
})
