import { Link } from '@tanstack/react-router'
import { useLayoutEffect, useRef } from 'react'

import { borrow, screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { clockTime } from '@/i18n/format'
import { useNow, useVm } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { askPower } from '@/power/ask'

import { ConsoleSign } from './ConsoleSign'

/** Causes that starting the VM removes. */
const STOPPED: ReadonlySet<string | undefined> = new Set(['console.vm_stopped', 'console.vm_stopped_during'])

function Countdown({ at }: { at: number }) {
  const left = Math.ceil((at - useNow()) / 1000)
  return <>{left > 0 ? t('console.retry_in', { n: left }) : t('console.retrying')}</>
}

/** Over the last picture: what happened, why, what to do; or one quiet line while it may still pass. */
function Over({ tab }: { tab: ConsoleTab }) {
  const vm = useVm(tab.vmId)
  if (tab.state === 'connected' || tab.state === 'view_only') return null
  if (tab.state !== 'lost' || !tab.error) {
    return (
      <div className="tile-over" role="status">
        <div className="tile-wait"><span className="turn t3"><Sign name="turning" /></span>{t(`console.state.${tab.state}`)}</div>
      </div>
    )
  }
  const start = () => {
    const verb = vm?.status === 'suspended' ? 'resume' : 'start'
    askPower(verb, [tab.vmId], () => screenOf(tab.vmId)?.expectBack())
  }
  const startable = STOPPED.has(tab.error.code) && vm !== undefined && vm.status !== 'running'
  return (
    <div className="tile-over">
      <div>
        <Failure error={tab.error} />
        {tab.retryAt !== undefined && <p className="note small t3"><Countdown at={tab.retryAt} /></p>}
        {vm?.task && <p className="note small t2" role="status">{t('vm.task', { verb: t(`verb.${vm.task.verb}`) })}</p>}
        <div className="acts">
          {vm && vm.host_status === 'offline' && <Link className="btn" to="/hosts/$hostId" params={{ hostId: vm.host_id }}>{t('console.diagnose')}</Link>}
          {startable && <button type="button" className="btn main" disabled={vm.task !== null} onClick={start}>{t('console.start_open')}</button>}
          <button type="button" className={startable ? 'btn' : 'btn main'} onClick={() => screenOf(tab.vmId)?.reconnect()}>{t('act.retry')}</button>
          {vm && <Link className="small" to="/pharmacies/$pharmacyId" params={{ pharmacyId: vm.pharmacy_id }}>{t('console.open_pharmacy')}</Link>}
        </div>
      </div>
    </div>
  )
}

interface Props {
  tab: ConsoleTab
  framed: boolean
  head: boolean
  onFrame: (vmId: number) => void
  /** What the head offers; a tile without one needs none. */
  onClose?: (vmId: number) => void
  onFull?: () => void
  onPopOut?: (vmId: number) => void
}

/** One console on the page. Its element is borrowed from the shelf while the tile is shown. */
export function Tile({ tab, framed, head, onFrame, onClose, onFull, onPopOut }: Props) {
  const slot = useRef<HTMLDivElement>(null)
  const vm = useVm(tab.vmId)
  useLayoutEffect(() => {
    return slot.current ? borrow(tab.vmId, slot.current) : undefined
  }, [tab.vmId])
  const ready = tab.state === 'connected' || tab.state === 'view_only'
  useLayoutEffect(() => {
    // Keys go to the framed console, but never away from a field, a menu or a dialog.
    const at = document.activeElement
    if (framed && ready && (at === null || at === document.body || at.closest('.consoles')) && !at?.closest('textarea')) screenOf(tab.vmId)?.focus()
  }, [framed, ready, tab.vmId])
  const name = `${vm?.pharmacy_name ?? ''} ${vm?.vm_name ?? ''}`
  return (
    <section className={framed ? 'tile on' : 'tile'} aria-label={name} onPointerDownCapture={() => onFrame(tab.vmId)}>
      {head && (
        <header>
          <ConsoleSign state={tab.state} />
          <span className="strong ellipsis">{vm?.pharmacy_name}</span>
          <span className="t2 nowrap">{vm?.vm_name}</span>
          <span className="small t3 ellipsis">{t(`console.state.${tab.state}`)}{tab.pictureAt !== undefined && ` · ${t('console.last_picture', { at: clockTime(new Date(tab.pictureAt).toISOString()) })}`}</span>
          <span className="end">
            {onPopOut && <button type="button" className="btn ghost icon in-row phone-hide" aria-label={`${name} ${t('console.pop_out')}`} title={t('console.pop_out')} onClick={() => onPopOut(tab.vmId)}><Icon name="external" /></button>}
            <button type="button" className="btn ghost icon in-row" aria-label={`${name} ${t('console.full')}`} title={t('console.full')} onClick={onFull}><Icon name="full" /></button>
            <button type="button" className="btn ghost icon in-row" aria-label={`${name} ${t('console.close')}`} title={t('console.close')} onClick={() => onClose?.(tab.vmId)}><Icon name="close" /></button>
          </span>
        </header>
      )}
      <div className="tile-body">
        <div className="tile-slot" ref={slot} />
        <Over tab={tab} />
      </div>
    </section>
  )
}
