import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

import type { Host } from '@/api/types'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { useFoundPharmacies } from '@/live/find'
import { ordered, readSort, useCalmIds, type Key } from '@/live/order'
import { useMembers, useReady } from '@/live/store'
import { Ago, Bar, share, usePointerOver } from '@/parts/bits'
import { Failure } from '@/parts/Failure'
import { FilterMenu } from '@/parts/FilterMenu'
import { Icon } from '@/parts/Icon'
import { LiveTable, type Column } from '@/parts/LiveTable'
import { SearchField } from '@/parts/SearchField'
import { HostState, reasonWords } from '@/parts/State'

import { AddHost } from './AddHost'

const RANK = { offline: 0, maintenance: 1, online: 2 } as const
const KEYS: Record<string, (host: Host) => Key> = {
  name: (host) => host.pharmacy_name,
  ip: (host) => host.host_ip,
  status: (host) => RANK[host.status],
  vms: (host) => host.vm_count,
  version: (host) => host.version,
  cpu: (host) => (host.status === 'offline' ? null : host.cpu),
  memory: (host) => (host.status === 'offline' ? null : share(host.memory_used, host.memory_total)),
  storage: (host) => (host.status === 'offline' ? null : share(host.storage_used, host.storage_total)),
  check: (host) => host.last_check,
}

const byName = KEYS.name!
/** Sorts whose values move with every poll. */
const LIVE_SORTS: ReadonlySet<string> = new Set(['cpu', 'memory', 'storage', 'check'])

const off = (host: Host) => host.status === 'offline'

const columns = (): Column<Host>[] => [
  { key: 'name', label: t('pharmacy.name'), width: 'minmax(130px, 1.4fr)', sort: 'name', cell: (host) => <Link className="lt-name" data-row-link to="/hosts/$hostId" params={{ hostId: host.id }}>{host.pharmacy_name}</Link> },
  { key: 'ip', label: t('host.ip'), width: '116px', sort: 'ip', wide: true, cell: (host) => host.host_ip },
  { key: 'status', label: t('host.status'), width: 'minmax(96px, 1.2fr)', sort: 'status', cell: (host) => <><HostState status={host.status} />{host.reason && host.status === 'offline' && <span className="t2 small"> · {reasonWords(host.reason)}</span>}</> },
  { key: 'vms', label: t('host.vm_count'), width: '56px', num: true, sort: 'vms', wide: true, cell: (host) => count(host.vm_count) },
  { key: 'version', label: t('host.version'), width: '88px', sort: 'version', wide: true, cell: (host) => (host.version ? `PVE ${host.version}` : '–') },
  { key: 'cpu', label: 'CPU', width: '104px', sort: 'cpu', wide: true, cell: (host) => <Bar share={off(host) ? null : host.cpu} label="CPU" /> },
  { key: 'memory', label: t('measure.memory'), width: '104px', sort: 'memory', wide: true, cell: (host) => <Bar share={off(host) ? null : share(host.memory_used, host.memory_total)} label={t('measure.memory')} /> },
  { key: 'storage', label: t('measure.storage'), width: '104px', sort: 'storage', wide: true, cell: (host) => <Bar share={off(host) ? null : share(host.storage_used, host.storage_total)} label={t('measure.storage')} /> },
  { key: 'check', label: t('host.last_check'), width: '84px', num: true, sort: 'check', cell: (host) => <span className="t2"><Ago at={host.last_check} /></span> },
]

export function HostsPage() {
  const search = useSearch({ from: '/app/hosts' })
  const navigate = useNavigate({ from: '/hosts' })
  const found = useFoundPharmacies(search.q)
  const pointer = usePointerOver<HTMLDivElement>()
  const sort = search.sort ?? 'status'
  const all = useMembers('hosts', LIVE_SORTS.has(sort.replace(/^-/, '')))
  const ready = useReady('places')
  const set = (change: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  const ids = useMemo(() => {
    const statuses = search.status?.split(',')
    const reasons = search.reason?.split(',')
    const rows = all.filter(
      (host) =>
        (!statuses || statuses.includes(host.status)) &&
        (!reasons || (host.reason !== null && reasons.includes(host.reason))) &&
        (!search.pharmacy_id || search.add || host.pharmacy_id === search.pharmacy_id) &&
        (!found.ids || found.ids.has(host.pharmacy_id)),
    )
    const [key, descending] = readSort(sort)
    return ordered(ordered(rows, byName, false), KEYS[key] ?? byName, descending).map((host) => host.id)
  }, [all, search.status, search.reason, search.pharmacy_id, search.add, found.ids, sort])
  const shown = useCalmIds(ids, JSON.stringify(search), pointer.held)
  const reasons = useMemo(() => [...new Set(all.map((host) => host.reason).filter((reason) => reason !== null))].toSorted(), [all])
  const cells = useMemo(() => columns(), [])
  return (
    <main className="page">
      <div className="page-head">
        <h1>{t('hosts.title')}</h1>
        <span className="t2" role="status">{!ready ? '' : ids.length === all.length ? t('unit.machines', { n: count(all.length) }) : t('hosts.of', { total: count(all.length), n: count(ids.length) })}</span>
        <span className="grow" />
        <Link className="btn" to="/enrol"><Icon name="upload" />{t('enrol.title')}</Link>
        <button type="button" className="btn main" onClick={() => set({ add: true })}><Icon name="plus" />{t('hosts.add')}</button>
      </div>
      <div className="filters">
        <SearchField value={search.q ?? ''} label={t('hosts.search')} onSearch={(q) => set({ q: q || undefined })} />
        <FilterMenu label={t('host.status')} value={search.status} onChange={(status) => set({ status })} choices={(['offline', 'online', 'maintenance'] as const).map((value) => ({ value, label: t(`host.status.${value}`) }))} />
        {(reasons.length > 0 || search.reason) && <FilterMenu label={t('host.reason')} value={search.reason} onChange={(reason) => set({ reason })} choices={reasons.map((value) => ({ value, label: reasonWords(value) }))} />}
        {(search.q || search.status || search.reason || search.pharmacy_id) && <button type="button" className="link small" onClick={() => void navigate({ search: {} })}>{t('filter.reset')}</button>}
      </div>
      <Failure error={found.error} />
      {found.cut && <p className="small warn" role="status">{t('find.cut')}</p>}
      {!ready ? (
        <p className="t3" role="status">{t('link.connecting')}</p>
      ) : all.length === 0 ? (
        <div className="panel empty">
          <p>{t('hosts.none')}</p>
          <button type="button" className="btn main" onClick={() => set({ add: true })}>{t('hosts.add')}</button>
        </div>
      ) : (
        <LiveTable kind="hosts" label={t('hosts.title')} ids={shown} columns={cells} sort={sort} onSort={(next) => set({ sort: next })} isStale={off} pointer={pointer.props} />
      )}
      {search.add && <AddHost pharmacyId={search.pharmacy_id} onClose={() => set({ add: undefined, pharmacy_id: undefined })} />}
    </main>
  )
}
