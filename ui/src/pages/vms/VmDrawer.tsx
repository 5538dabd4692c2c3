import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Vm } from '@/api/types'
import { openConsole } from '@/consoles/tabs'
import { t, tMaybe } from '@/i18n'
import { megabytes, span } from '@/i18n/format'
import { useVm } from '@/live/store'
import { Ago, Bar, Lasting } from '@/parts/bits'
import { Confirm } from '@/parts/Confirm'
import { Icon } from '@/parts/Icon'
import { HostState, VmState } from '@/parts/State'
import { askPower } from '@/power/ask'

import { allowed, hasScreen, mainVerb } from './acts'
import { VmEvents } from './VmEvents'
import { VmForm } from './VmForm'

function Facts({ vm }: { vm: Vm }) {
  const running = vm.status === 'running'
  const facts: [string, React.ReactNode][] = [
    [t('vms.host'), <Link key="h" to="/hosts/$hostId" params={{ hostId: vm.host_id }}>{vm.node_name}</Link>],
    [t('vms.host_status'), <HostState key="s" status={vm.host_status} />],
    ['VMID', `${vm.vmid} · ${vm.guest_type === 'lxc' ? t('vms.container') : t('vms.machine')}`],
    [t('vms.ip'), vm.ip_address ? `${vm.ip_address} ${vm.ip_source ? `(${tMaybe(`vms.source.${vm.ip_source}`) ?? vm.ip_source})` : ''}` : '–'],
    [t('vms.cores'), vm.cpu_cores ?? '–'],
    ['CPU', running ? <Bar key="c" share={vm.cpu} label="CPU" /> : '–'],
    [t('measure.memory'), running && vm.memory_used_mb !== null && vm.memory_mb ? <Bar key="m" share={vm.memory_used_mb / vm.memory_mb} label={t('measure.memory')} title={`${megabytes(vm.memory_used_mb)} / ${megabytes(vm.memory_mb)}`} /> : megabytes(vm.memory_mb)],
    [t('vms.disk'), vm.disk_gb === null ? '–' : `${vm.disk_gb} GB`],
    [t('vms.uptime'), running ? span(vm.uptime_s) : '–'],
    [t('vms.tags'), vm.tags.length ? <span key="t" className="row-flex">{vm.tags.map((tag) => <span key={tag} className="tag plain">{tag}</span>)}</span> : '–'],
  ]
  if (vm.pve_status && vm.pve_status !== vm.status) facts.push([t('vms.pve_status'), vm.pve_status])
  if (vm.lock) facts.push([t('vms.lock'), vm.lock])
  if (vm.console === 'none') facts.push([t('vms.screen'), t('vm.no_screen')])
  facts.push([t('vms.last_sync'), <Ago key="l" at={vm.last_sync} />])
  return <dl className="facts">{facts.map(([label, value]) => <div key={label} className="fact"><dt>{label}</dt><dd>{value}</dd></div>)}</dl>
}

function Acts({ vm }: { vm: Vm }) {
  const main = mainVerb(vm)
  if (vm.task) {
    return (
      <p className="t2" role="status">
        {t(vm.task.state === 'queued' ? 'vms.task_waits' : 'vm.task', { verb: t(`verb.${vm.task.verb}`) })} · <Lasting since={vm.task.started_at} /> <Link to="/jobs" search={{ job: vm.task.job_id }}>{t('jobs.open')}</Link>
      </p>
    )
  }
  return (
    <div className="acts">
      {vm.status !== 'stopped' && <button type="button" className="btn tint" disabled={!hasScreen(vm)} onClick={() => openConsole(vm.id)}><Icon name="screen" />{t('act.open_screen')}</button>}
      <button type="button" className="btn" disabled={!allowed(vm, main)} onClick={() => askPower(main, [vm.id])}>{t(`verb.${main}`)}</button>
      <button type="button" className="btn" disabled={!allowed(vm, 'reboot')} onClick={() => askPower('reboot', [vm.id])}>{t('verb.reboot')}</button>
    </div>
  )
}

/** A VM gone from its host stays with its notes until somebody, or the rule, lets it go. */
function Missing({ vm, onClose }: { vm: Vm; onClose: () => void }) {
  const [asks, setAsks] = useState(false)
  return (
    <section>
      <p className="t2">{t('vms.missing_why')}</p>
      <button type="button" className="btn" onClick={() => setAsks(true)}><Icon name="trash" />{t('vms.purge')}</button>
      {asks && (
        <Confirm
          title={t('vms.purge_ask', { name: `${vm.pharmacy_name} ${vm.vm_name}` })} detail={t('vms.purge_cost')} button={t('vms.purge')}
          onClose={() => setAsks(false)}
          act={async () => {
            await api.delete(`/api/vms/${vm.id}`)
            onClose()
          }}
        />
      )}
    </section>
  )
}

const takeFocus = (head: HTMLElement | null): void => head?.focus({ preventScroll: true })

/** Beside the list: a VM's configuration, what one may write about it, what happened to it. Its address is the page's `vm`. */
export function VmDrawer({ vmId, onClose }: { vmId: number; onClose: () => void }) {
  const vm = useVm(vmId)
  if (!vm) return null
  return (
    <aside className="drawer" aria-label={`${vm.pharmacy_name} ${vm.vm_name}`} onKeyDown={(event) => event.code === 'Escape' && !event.nativeEvent.isComposing && onClose()}>
      <header>
        <div className="grow">
          <Link className="small" to="/pharmacies/$pharmacyId" params={{ pharmacyId: vm.pharmacy_id }}>{vm.pharmacy_name}</Link>
          <h2 key={vmId} ref={takeFocus} tabIndex={-1}>{vm.vm_name}</h2>
          {vm.missing_since ? <span className="state stop">{t('vm.missing')} · <Lasting since={vm.missing_since} /></span> : <VmState status={vm.status} stale={vm.stale} />}
        </div>
        <button type="button" className="btn ghost icon" aria-label={t('act.close')} onClick={onClose}><Icon name="close" /></button>
      </header>
      {vm.missing_since ? <Missing vm={vm} onClose={onClose} /> : <section><Acts vm={vm} /></section>}
      <section><Facts vm={vm} /></section>
      <section><VmForm key={vm.id} vm={vm} /></section>
      <section><VmEvents vmId={vm.id} /></section>
    </aside>
  )
}
