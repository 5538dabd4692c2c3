import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { List, OnbootRow } from '@/api/types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { useWhenChanged } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Sign } from '@/parts/Icon'
import { VmState } from '@/parts/State'
import { PharmacyFilter } from '@/pages/vms/PharmacyFilter'
import { askOrder } from '@/power/ask'
import { howBody, howOf } from '@/power/order'

import { Parts } from './Parts'

import './jobs.css'

const PAGE = 1000

/** VMs that would stay off after a power cut, and the way to change that: one click, one job. */
export function OnbootPage() {
  const search = useSearch({ from: '/app/jobs/onboot' })
  const navigate = useNavigate({ from: '/jobs/onboot' })
  const may = useMay('guest.edit')
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['onboot', search.pharmacy_id],
    queryFn: ({ signal }) => api.get<List<OnbootRow>>('/api/vms/onboot', { query: { pharmacy_id: search.pharmacy_id, limit: PAGE }, signal }),
    staleTime: 0,
  })
  useWhenChanged(['vms'], () => void refetch(), undefined, 5_000)
  const rows = data?.items ?? []
  const picked = rows.filter((row) => !left.has(row.vm_id))
  const fix = (some: readonly OnbootRow[]) => {
    const how = howOf('onboot')
    askOrder({ order: { how, body: { ...howBody(how), vms: some.map(({ host_id, vmid }) => ({ host_id, vmid })) } }, then: (job) => void navigate({ to: '/jobs', search: { job } }) })
  }
  const turn = (id: number) =>
    setLeft((before) => {
      const next = new Set(before)
      if (!next.delete(id)) next.add(id)
      return next
    })
  return (
    <main className="page">
      <div className="page-head">
        <h1>{t('onboot.title')}</h1>
        {data && <span className="t2" role="status">{t('unit.machines', { n: count(data.total) })}</span>}
        <span className="grow" />
        {rows.length > 0 && <button type="button" className="btn main" disabled={!may || picked.length === 0} onClick={() => fix(picked)}>{t('onboot.fix', { n: count(picked.length) })}</button>}
      </div>
      <Parts at="/jobs/onboot" />
      {rows.length > 0 && <p className="t2">{t('onboot.why')}</p>}
      <div className="filters"><PharmacyFilter value={search.pharmacy_id} onChange={(pharmacy_id) => void navigate({ search: { pharmacy_id }, replace: true })} /></div>
      <Failure error={error} />
      {rows.length > 0 && (
        <div className="panel onboot">
          <table className="grid">
            <thead><tr><th><span className="sr">{t('vms.selection')}</span></th><th>{t('vms.name')}</th><th>{t('pharmacy.name')}</th><th className="phone-hide">{t('vms.type')}</th><th>{t('vms.status')}</th><th><span className="sr">{t('vms.acts')}</span></th></tr></thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.vm_id}>
                  <td><input type="checkbox" className="pick" checked={!left.has(row.vm_id)} aria-label={t('vms.select', { name: `${row.pharmacy_name} ${row.vm_name}` })} onChange={() => turn(row.vm_id)} /></td>
                  <td><Link className="strong t1" to="/vms" search={{ vm: row.vm_id, pharmacy_id: row.pharmacy_id }}>{row.vm_name}</Link> <span className="small t3 phone-hide">{row.vmid}</span></td>
                  <td><Link className="t2" to="/pharmacies/$pharmacyId" params={{ pharmacyId: row.pharmacy_id }}>{row.pharmacy_name}</Link></td>
                  <td className="phone-hide">{t(`vm.type.${row.vm_type}`)}</td>
                  <td><VmState status={row.status} /></td>
                  <td className="num"><button type="button" className="btn in-row" disabled={!may} aria-label={t('onboot.fix_one', { name: `${row.pharmacy_name} ${row.vm_name}` })} onClick={() => fix([row])}>{t('onboot.set')}</button></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.total > rows.length && <p className="t2">{t('onboot.more', { n: count(data.total - rows.length) })}</p>}
      {data?.total === 0 && <div className="panel empty"><p className="row-flex run"><Sign name="ok" />{t('onboot.none')}</p></div>}
      {isPending && <p className="t3" role="status">{t('jobs.reading')}</p>}
    </main>
  )
}
