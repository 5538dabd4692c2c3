import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { Group, Host, List, Pharmacy } from '@/api/types'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { useFoundPharmacies } from '@/live/find'
import { ordered, readSort, useCalmIds } from '@/live/order'
import { store, useMembers, useNow, useReady } from '@/live/store'
import { usePointerOver } from '@/parts/bits'
import { Failure } from '@/parts/Failure'
import { FilterMenu } from '@/parts/FilterMenu'
import { Icon } from '@/parts/Icon'
import { LiveTable, type Column } from '@/parts/LiveTable'
import { SearchField } from '@/parts/SearchField'
import { openingWords, PharmacyStateMark } from '@/parts/State'
import { verdictSentence } from '@/parts/words'

import { PharmacyForm } from './PharmacyForm'

const hostsOf = (pharmacy: Pharmacy): Host[] => pharmacy.host_ids.map((id) => store.row('hosts', id)).filter((host) => host !== undefined)

function VerdictCell({ pharmacy }: { pharmacy: Pharmacy }) {
  const now = useNow(10_000)
  const sentence = verdictSentence(pharmacy, hostsOf(pharmacy), now)
  return <span className="t2" title={sentence}>{sentence}</span>
}

const RANK = { offline: 0, warning: 1, maintenance: 2, empty: 3, ok: 4 } as const
const KEYS: Record<string, (one: Pharmacy) => string | number | null> = {
  code: (one) => one.code,
  name: (one) => one.name,
  state: (one) => RANK[one.state],
  opening: (one) => one.opening.state,
}

const byCode = KEYS.code!

const columns = (): Column<Pharmacy>[] => [
  { key: 'name', label: t('pharmacy.name'), width: 'minmax(140px, 1.2fr)', sort: 'name', cell: (one) => <Link className="lt-name" data-row-link to="/pharmacies/$pharmacyId" params={{ pharmacyId: one.id }}>{one.name}</Link> },
  { key: 'code', label: t('pharmacy.code'), width: '72px', sort: 'code', wide: true, cell: (one) => <span className="t2">{one.code}</span> },
  { key: 'state', label: t('pharmacy.state'), width: '96px', sort: 'state', cell: (one) => <PharmacyStateMark state={one.state} /> },
  { key: 'verdict', label: t('pharmacy.verdict'), width: 'minmax(200px, 3fr)', wide: true, cell: (one) => <VerdictCell pharmacy={one} /> },
  { key: 'opening', label: t('pharmacy.opening'), width: '150px', sort: 'opening', wide: true, cell: (one) => openingWords(one.opening) },
  { key: 'phone', label: t('pharmacy.phone'), width: '116px', cell: (one) => (one.phone ? <a href={`tel:${one.phone}`}>{one.phone}</a> : '–') },
  { key: 'region', label: t('pharmacy.groups'), width: 'minmax(64px, 0.6fr)', wide: true, cell: (one) => <span className="t2">{one.groups.map((group) => group.name).join(', ')}</span> },
]

export function PharmaciesPage() {
  const search = useSearch({ from: '/app/pharmacies' })
  const navigate = useNavigate({ from: '/pharmacies' })
  const all = useMembers('pharmacies', false)
  const ready = useReady('places')
  const found = useFoundPharmacies(search.q)
  const groups = useQuery({ queryKey: ['groups'], queryFn: () => api.get<List<Group>>('/api/groups', { query: { limit: 1000 } }) })
  const pointer = usePointerOver<HTMLDivElement>()
  const sort = search.sort ?? 'state'
  const set = (change: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })

  const ids = useMemo(() => {
    const states = search.state?.split(',')
    const openings = search.opening?.split(',')
    const rows = all.filter(
      (one) =>
        (!states || states.includes(one.state)) &&
        (!openings || openings.includes(one.opening.state)) &&
        (!search.group_id || one.groups.some((group) => group.id === search.group_id)) &&
        (!found.ids || found.ids.has(one.id)),
    )
    const [key, descending] = readSort(sort)
    return ordered(ordered(rows, byCode, false), KEYS[key] ?? byCode, descending).map((one) => one.id)
  }, [all, search.state, search.opening, search.group_id, found.ids, sort])
  const shown = useCalmIds(ids, JSON.stringify(search), pointer.held)
  const cells = useMemo(() => columns(), [])
  return (
    <main className="page">
      <div className="page-head">
        <h1>{t('nav.pharmacies')}</h1>
        <span className="t2" role="status">{!ready ? '' : ids.length === all.length ? t('unit.places', { n: count(all.length) }) : t('pharmacies.of', { total: count(all.length), n: count(ids.length) })}</span>
        <span className="grow" />
        <Link className="btn" to="/enrol"><Icon name="upload" />{t('enrol.title')}</Link>
        <button type="button" className="btn main" onClick={() => set({ add: true })}><Icon name="plus" />{t('pharmacies.add')}</button>
      </div>
      <div className="filters">
        <SearchField value={search.q ?? ''} label={t('pharmacies.search')} onSearch={(q) => set({ q: q || undefined })} />
        <FilterMenu label={t('pharmacy.state')} value={search.state} onChange={(state) => set({ state })} choices={(['offline', 'warning', 'ok', 'maintenance', 'empty'] as const).map((value) => ({ value, label: t(`pharmacy.state.${value}`) }))} />
        <FilterMenu label={t('pharmacy.opening')} value={search.opening} onChange={(opening) => set({ opening })} choices={(['open', 'before', 'after', 'closed', 'unknown'] as const).map((value) => ({ value, label: t(`opening.${value}`) }))} />
        <FilterMenu label={t('pharmacy.groups')} value={search.group_id ? String(search.group_id) : undefined} onChange={(value) => set({ group_id: value ? Number(value.split(',').at(-1)) : undefined })} choices={(groups.data?.items ?? []).map((group) => ({ value: String(group.id), label: group.name }))} />
        {(search.q || search.state || search.opening || search.group_id) && <button type="button" className="link small" onClick={() => void navigate({ search: {} })}>{t('filter.reset')}</button>}
      </div>
      <Failure error={found.error} />
      {found.cut && <p className="small warn" role="status">{t('find.cut')}</p>}
      {!ready ? (
        <p className="t3" role="status">{t('link.connecting')}</p>
      ) : all.length === 0 ? (
        <div className="panel empty">
          <p>{t('pharmacies.none')}</p>
          <button type="button" className="btn main" onClick={() => set({ add: true })}><Icon name="plus" />{t('pharmacies.add')}</button>
        </div>
      ) : (
        <LiveTable kind="pharmacies" label={t('nav.pharmacies')} ids={shown} columns={cells} sort={sort} onSort={(next) => set({ sort: next })} pointer={pointer.props} />
      )}
      {search.add && <PharmacyForm onClose={() => set({ add: undefined })} onSaved={(saved) => void navigate({ to: '/pharmacies/$pharmacyId', params: { pharmacyId: saved.id } })} />}
    </main>
  )
}
