/** What both histories share: their tabs, their filters, and the way out as a file. */
import { Menu, Modal, SegmentedControl, Textarea } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { api } from '@/api/client'
import { useMay } from '@/consoles/may'
import { saveFile } from '@/consoles/screenshot'
import { t } from '@/i18n'
import { useHost, useRows, useVm } from '@/live/store'
import { Failure, fieldError } from '@/parts/Failure'
import { FilterMenu, type Choice } from '@/parts/FilterMenu'
import { Icon } from '@/parts/Icon'
import { notifyDone } from '@/parts/notify'
import { SearchField } from '@/parts/SearchField'
import { PharmacyFilter } from '@/pages/vms/PharmacyFilter'

import type { HistorySearch } from './search'

import '@/access/access.css'
import './events.css'

/** Events for everybody; what people did for those who may read it. */
export function HistoryTabs({ shown }: { shown: 'events' | 'audit' }) {
  const mayAudit = useMay('audit.read')
  if (!mayAudit) return null
  return (
    <nav className="settings-parts" aria-label={t('history.tabs')}>
      <Link to="/events" search={{}} className={shown === 'events' ? 'chip on' : 'chip'} aria-current={shown === 'events' ? 'page' : undefined}>{t('history.events')}</Link>
      <Link to="/events/audit" search={{}} className={shown === 'audit' ? 'chip on' : 'chip'} aria-current={shown === 'audit' ? 'page' : undefined}>{t('history.audit')}</Link>
    </nav>
  )
}

const MOST = 30

function VmFilter({ pharmacy, value, onChange }: { pharmacy: number | undefined; value: number | undefined; onChange: (id: number | undefined) => void }) {
  const all = useRows('vms', 5000)
  const vm = useVm(value)
  const [q, setQ] = useState('')
  const found = useMemo(() => all.filter((one) => (!pharmacy || one.pharmacy_id === pharmacy) && `${one.pharmacy_name} ${one.vm_name} ${one.vmid}`.toLowerCase().includes(q.trim().toLowerCase())), [all, pharmacy, q])
  return (
    <Menu position="bottom-start" trapFocus={false} width={300}>
      <Menu.Target>
        <button type="button" className={value ? 'chip on' : 'chip'}>{t('history.vm')}: {value ? (vm ? `${vm.pharmacy_name} ${vm.vm_name}` : `#${value}`) : t('filter.all')}<Icon name="down" size={12} /></button>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflow: 'auto' }}>
        {value !== undefined && <Menu.Item onClick={() => onChange(undefined)}>{t('filter.clear')}</Menu.Item>}
        <label className="search-field vm-filter"><Icon name="search" /><span className="sr">{t('history.vm_search')}</span><input value={q} placeholder={t('history.vm_search')} autoComplete="off" onChange={(event) => setQ(event.currentTarget.value)} /></label>
        {found.slice(0, MOST).map((one) => <Menu.Item key={one.id} onClick={() => onChange(one.id)}>{one.vm_name} <span className="small t3">{one.pharmacy_name} · {one.vmid}</span></Menu.Item>)}
        {found.length > MOST && <Menu.Label>{t('history.more_vms', { n: found.length - MOST })}</Menu.Label>}
        {found.length === 0 && <Menu.Label>{t('list.none')}</Menu.Label>}
      </Menu.Dropdown>
    </Menu>
  )
}

export function Period({ from, to, onChange }: { from: string | undefined; to: string | undefined; onChange: (change: { from?: string; to?: string }) => void }) {
  return (
    <span className="period">
      <input type="date" className="date" aria-label={t('history.from')} value={from ?? ''} max={to} onChange={(event) => onChange({ from: event.currentTarget.value || undefined })} />
      <span className="t3" aria-hidden="true">–</span>
      <input type="date" className="date" aria-label={t('history.to')} value={to ?? ''} min={from} onChange={(event) => onChange({ to: event.currentTarget.value || undefined })} />
    </span>
  )
}

/** A host from a link elsewhere: named, with a way out. */
function HostChip({ id, onClear }: { id: number; onClear: () => void }) {
  const host = useHost(id)
  return <button type="button" className="chip on" onClick={onClear}>{host?.host_ip ?? `#${id}`}<Icon name="close" size={12} /><span className="sr">{t('filter.clear')}</span></button>
}

interface FiltersProps {
  search: HistorySearch & { before?: number }
  kinds: readonly Choice[]
  onChange: (change: HistorySearch & { before?: number }) => void
  children?: React.ReactNode
}

export function HistoryFilters({ search, kinds, onChange, children }: FiltersProps) {
  const narrowed = Object.values(search).some((value) => value !== undefined)
  return (
    <>
      <SearchField value={search.person ?? ''} label={t('history.person')} onSearch={(person) => onChange({ person: person || undefined })} />
      <FilterMenu label={t('events.kind')} value={search.kind} onChange={(kind) => onChange({ kind })} choices={kinds} />
      <PharmacyFilter value={search.pharmacy_id} onChange={(id) => onChange({ pharmacy_id: id, vm_id: undefined })} />
      <VmFilter pharmacy={search.pharmacy_id} value={search.vm_id} onChange={(id) => onChange({ vm_id: id })} />
      {search.host_id !== undefined && <HostChip id={search.host_id} onClear={() => onChange({ host_id: undefined })} />}
      {children}
      <Period from={search.from} to={search.to} onChange={onChange} />
      {search.before !== undefined && <button type="button" className="chip on" onClick={() => onChange({ before: undefined })}>{t('history.until_row', { n: search.before - 1 })}<Icon name="close" size={12} /><span className="sr">{t('filter.clear')}</span></button>}
      {narrowed && <button type="button" className="btn ghost" onClick={() => onChange({ person: undefined, kind: undefined, pharmacy_id: undefined, vm_id: undefined, host_id: undefined, from: undefined, to: undefined, before: undefined })}>{t('history.clear')}</button>}
    </>
  )
}

/** A file of what the list is narrowed to; what it is for is asked, and recorded. */
export function ExportButton({ path, name, filter }: { path: string; name: string; filter: Record<string, unknown> }) {
  const may = useMay('export')
  const [open, setOpen] = useState(false)
  if (!may) return null
  return (
    <>
      <button type="button" className="btn end" onClick={() => setOpen(true)}><Icon name="external" />{t('export.act')}</button>
      {open && <ExportDialog path={path} name={name} filter={filter} onClose={() => setOpen(false)} />}
    </>
  )
}

function ExportDialog({ path, name, filter, onClose }: { path: string; name: string; filter: Record<string, unknown>; onClose: () => void }) {
  const [format, setFormat] = useState<'csv' | 'jsonl'>('csv')
  const [reason, setReason] = useState('')
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const run = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      saveFile(await api.file(path, { format, reason, filter }), `${name}.${format}`)
      notifyDone(t('export.done'))
      onClose()
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={t('export.title')} size={480}>
      <form className="form" onSubmit={(event) => void run(event)}>
        <p>{t('export.cost')}</p>
        <Failure error={error} />
        <SegmentedControl aria-label={t('export.format')} value={format} onChange={(value) => setFormat(value as 'csv' | 'jsonl')} data={[{ value: 'csv', label: t('export.csv') }, { value: 'jsonl', label: t('export.jsonl') }]} />
        <Textarea label={t('export.reason')} description={t('export.reason_why')} required autosize minRows={2} maxLength={500} value={reason} error={fieldError(error, 'reason')} onChange={(event) => setReason(event.currentTarget.value)} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || reason.trim().length < 2}>{busy ? t('export.busy') : t('export.act')}</button></div>
      </form>
    </Modal>
  )
}
