import { Checkbox, MultiSelect, TextInput } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { useGroups } from '@/access/places'
import type { Pharmacy } from '@/api/types'
import { t } from '@/i18n'
import { useFoundPharmacies } from '@/live/find'
import { useRows } from '@/live/store'
import { CodeFailure } from '@/parts/Failure'

import { HOST_STATUSES, isOpenFilter, STATUSES, TYPES, type Filter, type Targets } from '../order'

import { Labelled, Segments, Toggles } from './Toggles'
import { VmPicker } from './VmPicker'

import './form.css'

const MOST = 30
const collator = new Intl.Collator('ko', { numeric: true })
const texts = (ids: readonly number[]): string[] => ids.map(String)

/** Several pharmacies, found as everywhere: initial consonants, phone digits, code. */
function Pharmacies({ value, onChange }: { value: readonly number[]; onChange: (ids: number[]) => void }) {
  const [q, setQ] = useState('')
  const found = useFoundPharmacies(q)
  const all = useRows('pharmacies', 5000)
  const data = useMemo(() => {
    const shown = (one: Pharmacy) => value.includes(one.id) || !found.ids || found.ids.has(one.id)
    const named = all.filter(shown).toSorted((a, b) => Number(value.includes(b.id)) - Number(value.includes(a.id)) || collator.compare(a.name, b.name))
    const known = new Set(all.map((one) => one.id))
    const gone = value.filter((id) => !known.has(id)).map((id) => ({ value: String(id), label: t('order.gone_pharmacy', { id }) }))
    return [...gone, ...named.map((one) => ({ value: String(one.id), label: `${one.name} ${one.code}` }))]
  }, [all, found.ids, value])
  return (
    <MultiSelect
      label={t('nav.pharmacies')} placeholder={value.length ? undefined : t('filter.all')} searchable data={data} limit={MOST + value.length} hidePickedOptions
      filter={({ options }) => options} searchValue={q} onSearchChange={setQ} nothingFoundMessage={t('list.none')}
      value={texts(value)} onChange={(ids) => onChange(ids.map(Number))}
    />
  )
}

function FilterFields({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const groups = useGroups()
  const vms = useRows('vms', 10_000)
  const tags = useMemo(() => [...new Set([...vms.flatMap((vm) => vm.tags), ...filter.tag])].toSorted(), [vms, filter.tag])
  const hosts = useRows('hosts', 10_000)
  const set = (change: Partial<Filter>) => onChange({ ...filter, ...change })
  return (
    <>
      <div className="form-two">
        <MultiSelect label={t('pharmacy.groups')} placeholder={filter.group_id.length ? undefined : t('filter.all')} searchable data={(groups.data?.items ?? []).map((one) => ({ value: String(one.id), label: one.name }))} value={texts(filter.group_id)} onChange={(ids) => set({ group_id: ids.map(Number) })} />
        <Pharmacies value={filter.pharmacy_id} onChange={(pharmacy_id) => set({ pharmacy_id })} />
      </div>
      <Labelled label={t('vms.type')}><Toggles label={t('vms.type')} options={TYPES.map((value) => ({ value, label: t(`vm.type.${value}`) }))} value={filter.type} onChange={(type) => set({ type })} /></Labelled>
      <div className="form-two">
        <Labelled label={t('vms.vm_status')}><Toggles label={t('vms.vm_status')} options={STATUSES.map((value) => ({ value, label: t(`vm.status.${value}`) }))} value={filter.status} onChange={(status) => set({ status })} /></Labelled>
        <Labelled label={t('vms.host_status')}><Toggles label={t('vms.host_status')} options={HOST_STATUSES.map((value) => ({ value, label: t(`host.status.${value}`) }))} value={filter.host_status} onChange={(host_status) => set({ host_status })} /></Labelled>
      </div>
      <div className="form-two">
        <TextInput label={t('order.words')} placeholder={t('vms.search')} value={filter.q} onChange={(event) => set({ q: event.currentTarget.value })} />
        {tags.length > 0 && <MultiSelect label={t('vms.tag')} placeholder={filter.tag.length ? undefined : t('filter.all')} searchable data={tags} value={filter.tag} onChange={(tag) => set({ tag })} />}
      </div>
      {filter.host_id.length > 0 && <MultiSelect label={t('vms.host')} data={[...new Set([...texts(filter.host_id), ...texts(hosts.map((one) => one.id))])].map((value) => ({ value, label: hosts.filter((one) => String(one.id) === value).map((one) => `${one.pharmacy_name} ${one.host_ip}`)[0] ?? value }))} value={texts(filter.host_id)} onChange={(ids) => set({ host_id: ids.map(Number) })} />}
    </>
  )
}

/** Which VMs: by a filter or by name. `later`: the filter is evaluated at each run. */
export function TargetFields({ targets, onChange, later = false }: { targets: Targets; onChange: (targets: Targets) => void; later?: boolean }) {
  const set = (change: Partial<Targets>) => onChange({ ...targets, lost: false, ...change })
  return (
    <fieldset className="order-part">
      <legend>{t('order.targets')}</legend>
      <div className="row-flex wrap">
        <Segments label={t('order.targets')} options={(['filter', 'list'] as const).map((value) => ({ value, label: t(`order.by.${value}`) }))} value={targets.by} onChange={(by) => set({ by })} />
        <span className="small t3">{t(targets.by === 'list' ? 'order.list_hint' : later ? 'order.filter_later' : 'order.filter_now')}</span>
      </div>
      {targets.lost && <CodeFailure code="ui.choice_lost"><Link className="btn in-row" to="/vms">{t('nav.vms')}</Link></CodeFailure>}
      {targets.by === 'filter'
        ? <FilterFields filter={targets.filter} onChange={(filter) => set({ filter })} />
        : <VmPicker vms={targets.vms} onChange={(vms) => set({ vms })} />}
      {targets.by === 'filter' && isOpenFilter(targets.filter) && <Checkbox label={t('order.everything')} description={t('order.everything_hint')} checked={targets.everything} onChange={(event) => set({ everything: event.currentTarget.checked })} />}
    </fieldset>
  )
}
