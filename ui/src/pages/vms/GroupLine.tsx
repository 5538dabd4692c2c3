import { Link } from '@tanstack/react-router'
import { memo, useCallback, useEffect, useRef, useSyncExternalStore } from 'react'

import type { Host } from '@/api/types'
import { t } from '@/i18n'
import { store, usePharmacy } from '@/live/store'
import { Ago, Lasting } from '@/parts/bits'
import { Icon, Sign } from '@/parts/Icon'
import { HostState, openingWords, reasonWords } from '@/parts/State'
import { problemWords } from '@/parts/words'

const WORST = { offline: 0, maintenance: 1, online: 2 } as const

/** The host of these that wants a look first, live. */
function useWorstHost(ids: readonly number[]): Host | undefined {
  const key = ids.join()
  const watch = useCallback(
    (listener: () => void) => {
      const stops = (key ? key.split(',') : []).map((id) => store.watchRow('hosts', Number(id), listener))
      return () => stops.forEach((stop) => stop())
    },
    [key],
  )
  const worst = () => {
    let found: Host | undefined
    for (const id of ids) {
      const host = store.row('hosts', id)
      if (host && (!found || WORST[host.status] < WORST[found.status])) found = host
    }
    return found
  }
  return useSyncExternalStore(watch, worst)
}

/** A check box that knows "some": the DOM has no attribute for it. */
export function TriState({ all, some, label, onClick }: { all: boolean; some: boolean; label: string; onClick: () => void }) {
  const box = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (box.current) box.current.indeterminate = some && !all
  })
  return <input ref={box} type="checkbox" tabIndex={-1} checked={all} readOnly aria-label={label} onClick={onClick} />
}

interface Props {
  pharmacyId: number
  index: number
  top: number
  shown: number
  total: number
  open: boolean
  all: boolean
  some: boolean
  current: boolean
  onToggle: (pharmacyId: number) => void
  onSelect: (pharmacyId: number) => void
}

/** A pharmacy above its VMs: how it is, how many of its VMs the filters leave, and why its acts are missing. */
export const GroupLine = memo(function GroupLine({ pharmacyId, index, top, shown, total, open, all, some, current, onToggle, onSelect }: Props) {
  const pharmacy = usePharmacy(pharmacyId)
  const host = useWorstHost(pharmacy?.host_ids ?? [])
  const down = host?.status === 'offline'
  return (
    <div className="vt-row vt-group" role="row" aria-level={1} aria-expanded={open} aria-rowindex={index + 2} tabIndex={current ? 0 : -1} data-index={index} style={{ transform: `translateY(${top}px)` }}>
      <span role="gridcell" className="vt-check"><TriState all={all} some={some} label={t('vms.select_all_of', { name: pharmacy?.name ?? '' })} onClick={() => onSelect(pharmacyId)} /></span>
      <button type="button" tabIndex={-1} className="vt-fold" aria-label={t(open ? 'vms.fold' : 'vms.unfold', { name: pharmacy?.name ?? '' })} onClick={() => onToggle(pharmacyId)}><Icon name={open ? 'down' : 'right'} size={14} /></button>
      <span role="rowheader" className="vt-head">
        <span className="strong ellipsis">{pharmacy?.name ?? '–'}</span>
        {host && <span className="t2 phone-hide">{host.host_ip}{(pharmacy?.host_ids.length ?? 0) > 1 && ` +${pharmacy!.host_ids.length - 1}`}</span>}
        {host && <HostState status={host.status} />}
        <span className="t2 nowrap">{shown === total ? t('unit.machines', { n: total }) : t('vms.shown_of', { total, n: shown })}</span>
        {pharmacy && <span className="small t3 nowrap phone-hide">{openingWords(pharmacy.opening)}</span>}
        {pharmacy?.state === 'warning' && <span className="state small warn vt-words"><Sign name="warning" size={14} /><span className="ellipsis">{problemWords(pharmacy, host ? [host] : []).words}</span></span>}
      </span>
      <span role="gridcell" className="vt-group-end">
        {down ? <span className="small off nowrap phone-hide">{reasonWords(host.reason)} · <Lasting since={host.since} /></span> : host && <span className="small t3 phone-hide"><Ago at={host.last_contact} /></span>}
        {down && <Link className="btn in-row phone-hide" tabIndex={-1} to="/hosts/$hostId" params={{ hostId: host.id }}>{t('console.diagnose')}</Link>}
        <Link className="btn in-row" tabIndex={-1} to="/pharmacies/$pharmacyId" params={{ pharmacyId }} aria-label={`${pharmacy?.name ?? ''} ${t('console.open_pharmacy')}`}><span className="phone-hide">{t('console.open_pharmacy')}</span><span className="phone-only"><Icon name="right" /></span></Link>
      </span>
    </div>
  )
})
