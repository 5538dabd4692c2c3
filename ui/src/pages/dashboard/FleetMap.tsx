import { Link, useNavigate } from '@tanstack/react-router'
import { memo, useCallback, useMemo, useState } from 'react'

import type { Host, Pharmacy, PharmacyState } from '@/api/types'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { useNow } from '@/live/store'
import { Icon } from '@/parts/Icon'
import { openingWords, PharmacyStateMark } from '@/parts/State'
import { verdictSentence } from '@/parts/words'

import { byRegion, customersStand, hostsOf, pieces, sameRows } from './model'

const GLYPH: Partial<Record<PharmacyState, React.ReactNode>> = {
  offline: <Icon name="close" size={13} />,
  warning: <b aria-hidden="true">!</b>,
  maintenance: <Icon name="wrench" size={13} />,
}

type Open = (event: React.MouseEvent<HTMLElement>) => void

const Cell = memo(function Cell({ pharmacy, open }: { pharmacy: Pharmacy; open: Open }) {
  const pale = customersStand(pharmacy) ? '' : ' pale'
  return (
    // A plain link: 24,000 of the router's own take seconds to draw.
    <a href={`/pharmacies/${pharmacy.id}`} onClick={open} className={`cell ${pharmacy.state}${pale}`} data-pharmacy={pharmacy.id} aria-label={`${pharmacy.name}: ${t(`pharmacy.state.${pharmacy.state}`)}, ${openingWords(pharmacy.opening)}`}>
      {GLYPH[pharmacy.state]}
    </a>
  )
})

/** Cells that are looked at together: of 24,000 a few hundred change at once, the others need not be walked through. */
const PIECE = 64
const Piece = memo(
  ({ pharmacies, open }: { pharmacies: readonly Pharmacy[]; open: Open }) => pharmacies.map((one) => <Cell key={one.id} pharmacy={one} open={open} />),
  (a, b) => a.open === b.open && sameRows(a.pharmacies, b.pharmacies),
)

function HoverCard({ pharmacy, hosts, at }: { pharmacy: Pharmacy; hosts: Host[]; at: { x: number; y: number } }) {
  const now = useNow()
  const vms = hosts.reduce((sum, host) => sum + host.vm_count, 0)
  return (
    <div className="map-card" style={{ left: at.x, top: at.y }} aria-hidden="true">
      <p className="row-flex"><span className="strong grow">{pharmacy.name}</span><PharmacyStateMark state={pharmacy.state} /></p>
      <p>{verdictSentence(pharmacy, hosts, now)}</p>
      <p className="t2">{t('map.vms', { n: vms })} · {openingWords(pharmacy.opening)}</p>
    </div>
  )
}

const LEGEND: readonly PharmacyState[] = ['ok', 'warning', 'offline', 'maintenance']

export function FleetMap({ pharmacies, hosts }: { pharmacies: readonly Pharmacy[]; hosts: ReadonlyMap<number, Host> }) {
  const regions = useMemo(() => byRegion(pharmacies, t('map.other_region')), [pharmacies])
  const [hover, setHover] = useState<{ id: number; x: number; y: number } | null>(null)
  const shown = hover ? pharmacies.find((one) => one.id === hover.id) : undefined
  const enter = (event: React.SyntheticEvent) => {
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-pharmacy]')
    const map = event.currentTarget as HTMLElement
    if (!cell) return setHover(null)
    const box = cell.getBoundingClientRect()
    const outer = map.getBoundingClientRect()
    const x = Math.min(box.left - outer.left, Math.max(0, outer.width - 272))
    return setHover({ id: Number(cell.dataset.pharmacy), x, y: box.bottom - outer.top + 6 })
  }
  const navigate = useNavigate()
  const open = useCallback(
    (event: React.MouseEvent<HTMLElement>) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      event.preventDefault()
      void navigate({ to: '/pharmacies/$pharmacyId', params: { pharmacyId: Number(event.currentTarget.dataset.pharmacy) } })
    },
    [navigate],
  )
  const tally = (state: PharmacyState) => pharmacies.filter((one) => one.state === state).length
  return (
    <section className="panel map-panel" aria-labelledby="map-title">
      <header>
        <h2 id="map-title">{t('map.title')}</h2>
        <span className="t2">{t('unit.places', { n: count(pharmacies.length) })}</span>
        <Link to="/pharmacies">{t('map.list')}</Link>
      </header>
      <div className="map" onPointerOver={enter} onPointerLeave={() => setHover(null)} onFocus={enter} onBlur={() => setHover(null)}>
        {pharmacies.length === 0 && <div className="empty"><p>{t('map.empty')}</p><span className="row-flex"><Link className="btn main" to="/pharmacies" search={{ add: true }}>{t('pharmacies.add')}</Link><Link className="btn" to="/enrol">{t('enrol.title')}</Link></span></div>}
        {regions.map((region) => (
          <div className="map-region" key={region.name}>
            <span className="map-label">{region.name} <span className="t3">{region.pharmacies.length}</span></span>
            <div className="cells">{pieces(region.pharmacies, PIECE).map((piece) => <Piece key={piece[0]!.id} pharmacies={piece} open={open} />)}</div>
          </div>
        ))}
        {shown && hover && <HoverCard pharmacy={shown} hosts={hostsOf(shown, hosts)} at={hover} />}
      </div>
      <footer className="map-legend small">
        {LEGEND.map((state) => (
          <Link key={state} to="/pharmacies" search={{ state }} className="legend">
            <span className={`cell ${state}`} aria-hidden="true">{GLYPH[state]}</span>
            {t(`pharmacy.state.${state}`)} {tally(state)}
          </Link>
        ))}
        <span className="legend end"><span className="cell ok pale" aria-hidden="true" />{t('map.pale')}</span>
      </footer>
    </section>
  )
}
