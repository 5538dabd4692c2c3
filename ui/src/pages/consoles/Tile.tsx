import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useLayoutEffect, useRef, useState } from 'react'

import { useNames } from '@/consoles/names'
import { borrow, screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { ago, clockTime } from '@/i18n/format'
import { useHost, useNow, useVm } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { askPower } from '@/power/ask'

import { ConsoleSign } from './ConsoleSign'
import { People } from './People'
import { ReasonForm } from './ReasonForm'

const CheckDialog = lazy(async () => ({ default: (await import('./CheckDialog')).CheckDialog }))

/** Causes that starting the VM removes. */
const STOPPED: ReadonlySet<string | undefined> = new Set(['console.vm_stopped', 'console.vm_stopped_during'])

/** Causes that are looked into, or mended, on the page of the host. */
const OF_HOST: ReadonlySet<string> = new Set([
  'console.certificate_changed', 'console.credential_refused', 'console.need_tfa', 'console.host_unreachable', 'console.host_silent', 'console.no_permission',
  'console.host_fault', 'console.host_garbled',
])

function LastContact({ hostId }: { hostId: number | undefined }) {
  const host = useHost(hostId)
  const now = useNow(10_000)
  if (host?.status !== 'offline' || host.last_contact === null) return null
  return <p className="note small t3">{t('console.last_contact', { ago: ago(host.last_contact, now) })}</p>
}

/** A picture that stands still because its VM does. */
function Paused({ tab }: { tab: ConsoleTab }) {
  const vm = useVm(tab.vmId)
  if (tab.kind !== 'screen' || vm?.status !== 'suspended' || (tab.state !== 'connected' && tab.state !== 'view_only')) return null
  return (
    <div className="tile-strip" role="status">
      <Sign name="suspended" />
      <span>{t('console.paused')}</span>
      <button type="button" className="btn in-row" disabled={vm.task !== null} onClick={() => askPower('resume', [tab.vmId])}>{t('verb.resume')}</button>
    </div>
  )
}

function Countdown({ at }: { at: number }) {
  const left = Math.ceil((at - useNow()) / 1000)
  return <>{left > 0 ? t('console.retry_in', { n: left }) : t('console.retrying')}</>
}

/** Over the last picture: what happened, why, what to do; or one quiet line while it may still pass. */
function Over({ tab }: { tab: ConsoleTab }) {
  const vm = useVm(tab.vmId)
  const { pharmacyId } = useNames(tab)
  const [checking, setChecking] = useState(false)
  if (tab.state === 'connected' || tab.state === 'view_only') return null
  if (tab.state !== 'lost' || !tab.error) {
    return (
      <div className="tile-over" role="status">
        <div className="tile-wait"><span className="turn t3"><Sign name="turning" /></span>{t(`console.state.${tab.state}`)}</div>
      </div>
    )
  }
  const hostId = tab.hostId || vm?.host_id
  const resume = vm?.status === 'suspended'
  const start = () => {
    if (resume) askPower('resume', [tab.vmId], () => screenOf(tab.key)?.expectBack())
    else screenOf(tab.key)?.reconnect(true)
  }
  const asks = tab.error.code === 'console.reason_required'
  const startable = STOPPED.has(tab.error.code) && vm !== undefined && vm.status !== 'running'
  return (
    <div className="tile-over">
      <div>
        <Failure error={tab.error} />
        {OF_HOST.has(tab.error.code) && <LastContact hostId={hostId} />}
        {tab.retryAt !== undefined && <p className="note small t3"><Countdown at={tab.retryAt} /></p>}
        {vm?.task && <p className="note small t2" role="status">{t('vm.task', { verb: t(`verb.${vm.task.verb}`) })}</p>}
        {asks && pharmacyId !== undefined && <ReasonForm pharmacyId={pharmacyId} />}
        {checking && <Suspense><CheckDialog vmId={tab.vmId} onClose={() => setChecking(false)} /></Suspense>}
        <div className="acts">
          {vm && !asks && <button type="button" className="btn" onClick={() => setChecking(true)}>{t('console.diagnose')}</button>}
          {startable && <button type="button" className="btn main" disabled={vm.task !== null} onClick={start}>{t('console.start_open')}</button>}
          {!asks && <button type="button" className={startable ? 'btn' : 'btn main'} onClick={() => screenOf(tab.key)?.reconnect()}>{t('act.retry')}</button>}
          {hostId !== undefined && OF_HOST.has(tab.error.code) && <Link className="small" to="/hosts/$hostId" params={{ hostId }}>{t('console.open_host')}</Link>}
          {pharmacyId !== undefined && <Link className="small" to="/pharmacies/$pharmacyId" params={{ pharmacyId }}>{t('console.open_pharmacy')}</Link>}
        </div>
      </div>
    </div>
  )
}

interface Props {
  tab: ConsoleTab
  framed: boolean
  head: boolean
  onFrame: (key: string) => void
  /** What the head offers; a tile without one needs none. */
  onClose?: (key: string) => void
  onFull?: () => void
  onPopOut?: (key: string) => void
}

/** One console on the page. Its element is borrowed from the shelf while the tile is shown. */
export function Tile({ tab, framed, head, onFrame, onClose, onFull, onPopOut }: Props) {
  const slot = useRef<HTMLDivElement>(null)
  const { pharmacy, name: of } = useNames(tab)
  useLayoutEffect(() => {
    return slot.current ? borrow(tab.key, slot.current) : undefined
  }, [tab.key])
  const ready = tab.state === 'connected' || tab.state === 'view_only'
  useLayoutEffect(() => {
    // Keys go to the framed console, but never away from a field, a menu or a dialog.
    const at = document.activeElement
    if (framed && ready && (at === null || at === document.body || at.closest('.consoles')) && !at?.closest('textarea')) screenOf(tab.key)?.focus()
  }, [framed, ready, tab.key])
  const name = `${pharmacy} ${of}`
  return (
    <section className={framed ? 'tile on' : 'tile'} aria-label={name} onPointerDownCapture={() => onFrame(tab.key)}>
      {head && (
        <header>
          <ConsoleSign state={tab.state} />
          <span className="strong ellipsis">{pharmacy}</span>
          <span className="t2 nowrap">{of}</span>
          <span className="small t3 ellipsis">{t(`console.state.${tab.state}`)}{tab.pictureAt !== undefined && ` · ${t('console.last_picture', { at: clockTime(new Date(tab.pictureAt).toISOString()) })}`}</span>
          <People tab={tab} />
          <span className="end">
            {onPopOut && <button type="button" className="btn ghost icon in-row phone-hide" aria-label={`${name} ${t('console.pop_out')}`} title={t('console.pop_out')} onClick={() => onPopOut(tab.key)}><Icon name="external" /></button>}
            <button type="button" className="btn ghost icon in-row" aria-label={`${name} ${t('console.full')}`} title={t('console.full')} onClick={onFull}><Icon name="full" /></button>
            <button type="button" className="btn ghost icon in-row" aria-label={`${name} ${t('console.close')}`} title={t('console.close')} onClick={() => onClose?.(tab.key)}><Icon name="close" /></button>
          </span>
        </header>
      )}
      <div className="tile-body">
        <div className="tile-slot" ref={slot} />
        <Over tab={tab} />
        <Paused tab={tab} />
      </div>
    </section>
  )
}
