import { useNavigate, useSearch } from '@tanstack/react-router'

import { t } from '@/i18n'
import { FilterMenu } from '@/parts/FilterMenu'
import { SearchField } from '@/parts/SearchField'

import type { View } from './model'
import { PharmacyFilter } from './PharmacyFilter'

const TYPES = ['kiosk', 'pos', 'server', 'backup', 'other'] as const
const STATUSES = ['running', 'stopped', 'suspended', 'unknown'] as const
const HOSTS = ['online', 'offline', 'maintenance'] as const

export type VmsSearch = ReturnType<typeof useVmsSearch>[0]

/** The page's address: what is wanted, and the way to change it. */
export function useVmsSearch() {
  const search = useSearch({ from: '/app/vms' })
  const navigate = useNavigate({ from: '/vms' })
  const set = (change: Partial<typeof search>) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })
  return [search, set, navigate] as const
}

export const isFiltered = (search: VmsSearch): boolean => !!(search.q || search.pharmacy_id || search.group_id || search.type || search.status || search.host_status || search.tag)

export function Filters({ tags, groupName, view, sort }: { tags: readonly string[]; groupName: string | undefined; view: View; sort: string }) {
  const [search, set] = useVmsSearch()
  const reset = { q: undefined, pharmacy_id: undefined, group_id: undefined, type: undefined, status: undefined, host_status: undefined, tag: undefined }
  const order = view === 'tree' && ['attention', 'pharmacy'].includes(sort)
  return (
    <div className="filters">
      <SearchField value={search.q ?? ''} label={t('vms.search')} onSearch={(q) => set({ q: q || undefined })} />
      <div className="vms-chips">
        <PharmacyFilter value={search.pharmacy_id} onChange={(pharmacy_id) => set({ pharmacy_id })} />
        <FilterMenu label={t('vms.type')} value={search.type} onChange={(type) => set({ type })} choices={TYPES.map((value) => ({ value, label: t(`vm.type.${value}`) }))} />
        <FilterMenu label={t('vms.vm_status')} value={search.status} onChange={(status) => set({ status })} choices={STATUSES.map((value) => ({ value, label: t(`vm.status.${value}`) }))} />
        <FilterMenu label={t('vms.host_status')} value={search.host_status} onChange={(host_status) => set({ host_status })} choices={HOSTS.map((value) => ({ value, label: t(`host.status.${value}`) }))} />
        {(tags.length > 0 || search.tag) && <FilterMenu label={t('vms.tag')} value={search.tag} onChange={(tag) => set({ tag })} choices={tags.map((value) => ({ value, label: value }))} />}
        {search.group_id && <button type="button" className="chip on" onClick={() => set({ group_id: undefined })}>{t('pharmacy.groups')}: {groupName ?? '–'} ✕</button>}
        {isFiltered(search) && <button type="button" className="link small" onClick={() => set(reset)}>{t('filter.reset')}</button>}
        {view === 'tree' && (
          <label className="vms-sort small t3">
            {t('vms.sort')}
            <select className="native t1" value={order ? sort : 'column'} onChange={(event) => set({ sort: event.currentTarget.value === 'attention' ? undefined : event.currentTarget.value })}>
              <option value="attention">{t('vms.sort_attention')}</option>
              <option value="pharmacy">{t('vms.sort_pharmacy')}</option>
              {!order && <option value="column" disabled>{t('vms.sort_column')}</option>}
            </select>
          </label>
        )}
      </div>
    </div>
  )
}
