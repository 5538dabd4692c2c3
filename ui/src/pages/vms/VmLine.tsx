import { memo } from 'react'

import type { Vm } from '@/api/types'
import { openConsole } from '@/consoles/tabs'
import { t } from '@/i18n'
import { span } from '@/i18n/format'
import { useVm } from '@/live/store'
import { Bar, Lasting } from '@/parts/bits'
import { Icon } from '@/parts/Icon'
import { State, vmSign, vmTone } from '@/parts/State'
import { askPower } from '@/power/ask'

import { hasScreen, mainVerb, unreachable } from './acts'

export interface LineProps {
  id: number
  index: number
  top: number
  tree: boolean
  last: boolean
  selected: boolean
  /** The line the keyboard is on. */
  current: boolean
  opened: boolean
  act: LineActs
}

/** Stable callbacks, so that a line draws again only for its own VM. */
export interface LineActs {
  pick: (id: number, range: boolean) => void
  open: (id: number) => void
  menu: (id: number, at: DOMRect) => void
}

/** What a task really does on its host, until the host says otherwise. */
function Task({ vm }: { vm: Vm }) {
  const task = vm.task!
  const waits = task.state === 'queued'
  return (
    <span className="vt-task small t2" role="status">
      <span className="ellipsis">
        {t(waits ? 'vms.task_waits' : 'vm.task', { verb: t(`verb.${task.verb}`) })}
        {!waits && task.started_at && <> · <Lasting since={task.started_at} /></>}
      </span>
      <span className="bar progress"><i className={waits ? undefined : 'vt-moving'}><b style={{ width: waits ? 0 : '40%' }} /></i></span>
    </span>
  )
}

function Acts({ vm, act }: { vm: Vm; act: LineActs }) {
  const verb = mainVerb(vm)
  const gone = unreachable(vm) || vm.template
  const says = (word: string) => `${vm.pharmacy_name} ${vm.vm_name} ${word}`
  return (
    <span className="vt-acts">
      {vm.task ? (
        <Task vm={vm} />
      ) : (
        !gone && (
          <>
            {vm.status !== 'stopped' && (
              <button type="button" tabIndex={-1} className="btn tint in-row vt-vnc" disabled={!hasScreen(vm)} title={vm.console === 'none' ? t('vm.no_screen') : undefined} aria-label={says(t('act.open_screen'))} onClick={() => openConsole(vm.id)}>VNC</button>
            )}
            <button type="button" tabIndex={-1} className="btn in-row vt-main" aria-label={says(t(`verb.${verb}`))} onClick={() => askPower(verb, [vm.id])}>{t(`verb.${verb}`)}</button>
            {vm.status === 'running' && <button type="button" tabIndex={-1} className="btn in-row vt-reboot" aria-label={says(t('verb.reboot'))} onClick={() => askPower('reboot', [vm.id])}>{t('verb.reboot')}</button>}
          </>
        )
      )}
      <button type="button" tabIndex={-1} className="btn ghost icon in-row vt-more" aria-haspopup="menu" aria-label={says(t('nav.more'))} onClick={(event) => act.menu(vm.id, event.currentTarget.getBoundingClientRect())}><Icon name="more" /></button>
    </span>
  )
}

function memoryShare(vm: Vm): number | null {
  return vm.memory_used_mb !== null && vm.memory_mb ? vm.memory_used_mb / vm.memory_mb : null
}

function StateCell({ vm }: { vm: Vm }) {
  if (vm.missing_since) return <State sign="unknown" tone="stop" stale>{t('vm.missing')} · <Lasting since={vm.missing_since} /></State>
  return <State sign={vmSign(vm.status)} tone={vmTone(vm.status)} stale={vm.stale}>{vm.template ? t('vms.template') : t(`vm.status.${vm.status}`)}{vm.lock && !vm.task ? ` · ${vm.lock}` : ''}</State>
}

function isOwn(event: React.MouseEvent): boolean {
  return (event.target as HTMLElement).closest('button, a, input, label') !== null
}

/** One VM: plain cells, acts in fixed slots so that the hand need not look. */
export const VmLine = memo(function VmLine({ id, index, top, tree, last, selected, current, opened, act }: LineProps) {
  const vm = useVm(id)
  if (!vm) return null
  const running = vm.status === 'running' && !vm.missing_since
  const classes = ['vt-row', 'vt-vm', unreachable(vm) ? 'stale' : '', selected ? 'selected' : '', opened ? 'opened' : ''].join(' ')
  return (
    // The table's own handler serves the keyboard.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <div className={classes} role="row" aria-level={tree ? 2 : undefined} aria-selected={selected} aria-rowindex={index + 2} tabIndex={current ? 0 : -1} data-index={index} style={{ transform: `translateY(${top}px)` }} onClick={(event) => !isOwn(event) && (event.shiftKey || event.ctrlKey || event.metaKey ? act.pick(id, event.shiftKey) : act.open(id))}>
      <span role="gridcell" className="vt-check"><input type="checkbox" tabIndex={-1} checked={selected} aria-label={t('vms.select', { name: `${vm.pharmacy_name} ${vm.vm_name}` })} onClick={(event) => act.pick(id, event.shiftKey)} readOnly /></span>
      <span className={tree ? (last ? 'vt-tree last' : 'vt-tree') : 'vt-tree none'} aria-hidden="true" />
      <span role="gridcell" className="vt-vmid t2">{vm.vmid}</span>
      <span role="rowheader" className="vt-name"><span className="lt-name ellipsis">{vm.vm_name}</span>{!tree && <span className="t2 ellipsis"> {vm.pharmacy_name}</span>}</span>
      <span role="gridcell" className="vt-type t2">{t(`vm.type.${vm.vm_type}`)}</span>
      <span role="gridcell" className="vt-state"><StateCell vm={vm} /></span>
      <span role="gridcell" className="vt-cpu">{running ? <Bar share={vm.cpu} label="CPU" /> : '–'}</span>
      <span role="gridcell" className="vt-memory">{running ? <Bar share={memoryShare(vm)} label={t('measure.memory')} /> : '–'}</span>
      <span role="gridcell" className="vt-ip ellipsis">{vm.ip_address ?? '–'}</span>
      <span role="gridcell" className="vt-uptime num">{running ? span(vm.uptime_s) : '–'}</span>
      <span role="gridcell"><Acts vm={vm} act={act} /></span>
    </div>
  )
})
