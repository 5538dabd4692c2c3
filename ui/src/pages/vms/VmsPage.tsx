import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import { api } from '@/api/client'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { useCalmIds } from '@/live/order'
import { store, useMembers, useReady, useRows } from '@/live/store'
import { usePointerOver } from '@/parts/bits'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

import { Filters, isFiltered, useVmsSearch } from './Filters'
import { useFoundVms } from './found'
import { arranged, lines, LIVE_SORTS, matching, picked, pickedAll, type View } from './model'
import { PickBar } from './PickBar'
import { VmDrawer } from './VmDrawer'
import { VmMenu } from './VmMenu'
import { VmTable } from './VmTable'

import '@/parts/segments.css'
import './vms.css'

const pharmacyOf = (id: number) => store.row('pharmacies', id)
const NONE: ReadonlySet<number> = new Set()

async function syncNow(): Promise<void> {
  try {
    const { requested } = await api.post<{ requested: number }>('/api/vms/sync')
    notifyDone(t('vms.syncing', { n: requested }))
  } catch (error) {
    notifyFailed(error)
  }
}

/** Ids in order, and what the head of the page counts. */
function useList(sort: string, view: View) {
  const [search] = useVmsSearch()
  const found = useFoundVms(search.q)
  const seen = useMembers('vms', LIVE_SORTS.has(sort.replace(/^-/, '')), 'pharmacies')
  const { pharmacy_id: pharmacyId, group_id: groupId, type, status, host_status: hostStatus, tag } = search
  const list = useMemo(() => {
    const shown = matching(seen, { found: found.ids, pharmacyId, groupId, type, status, hostStatus, tag }, pharmacyOf)
    return { ids: arranged(shown, sort, view, pharmacyOf), places: new Set(shown.map((vm) => vm.pharmacy_id)).size }
  }, [seen, found.ids, pharmacyId, groupId, type, status, hostStatus, tag, sort, view])
  const whole = useMemo(() => {
    const totals = new Map<number, number>()
    for (const vm of seen) totals.set(vm.pharmacy_id, (totals.get(vm.pharmacy_id) ?? 0) + 1)
    return { totals, tags: [...new Set(seen.flatMap((vm) => vm.tags))].toSorted() }
  }, [seen])
  return { ...list, ...whole, rows: seen, error: found.error }
}

export function VmsPage() {
  const [search, set] = useVmsSearch()
  const ready = useReady()
  const view: View = search.view === 'list' ? 'list' : 'tree'
  const sort = search.sort ?? 'attention'
  const list = useList(sort, view)
  const pointer = usePointerOver<HTMLDivElement>()
  const { vm: openId, ...asked } = search
  const ids = useCalmIds(list.ids, JSON.stringify([asked, view]), pointer.held)
  const [selected, setSelected] = useState(NONE)
  const [closed, setClosed] = useState(NONE)
  const [menu, setMenu] = useState<{ id: number; at: DOMRect } | null>(null)
  const anchor = useRef<number>(undefined)
  const items = useMemo(() => lines(ids, view, (id) => store.row('vms', id)?.pharmacy_id, list.totals, closed), [ids, view, list.totals, closed])
  const order = useMemo(() => items.flatMap((item) => (item.kind === 'vm' ? [item.id] : [])), [items])
  const picks = useMemo(() => (selected.size > 0 ? list.rows.filter((vm) => selected.has(vm.id)) : []), [selected, list.rows])
  const shownIds = useMemo(() => new Set(ids), [ids])
  const groups = useRows('pharmacies', 5000)
  const groupName = search.group_id ? groups.flatMap((one) => one.groups).find((group) => group.id === search.group_id)?.name : undefined
  const clear = useCallback(() => setSelected(NONE), [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.code === 'Escape' && !event.defaultPrevented && event.target === document.body) clear()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [clear])

  const pick = (id: number, range: boolean) => {
    setSelected((before) => picked(before, order, id, anchor.current, range))
    anchor.current = id
  }
  const fold = (pharmacyId: number, shut?: boolean) =>
    setClosed((before) => {
      const next = new Set(before)
      if (shut ?? !before.has(pharmacyId)) next.add(pharmacyId)
      else next.delete(pharmacyId)
      return next
    })
  return (
    <main className={picks.length > 0 ? 'page picking' : 'page'}>
      <div className="page-head">
        <h1>{t('vms.title')}</h1>
        <span className="t2" role="status">{ids.length === list.rows.length ? t('unit.machines', { n: count(list.rows.length) }) : t('vms.of', { total: count(list.rows.length), n: count(ids.length) })} · {t('vms.places', { n: count(list.places) })}</span>
        <span className="grow" />
        <span className="segments" role="group" aria-label={t('vms.view')}>
          <button type="button" aria-pressed={view === 'tree'} onClick={() => set({ view: undefined })}>{t('vms.view_tree')}</button>
          <button type="button" aria-pressed={view === 'list'} onClick={() => set({ view: 'list' })}>{t('vms.view_list')}</button>
        </span>
        <button type="button" className="btn" onClick={() => void syncNow()}><Icon name="refresh" />{t('act.sync')}</button>
      </div>
      <Filters tags={list.tags} groupName={groupName} view={view} sort={sort} />
      <Failure error={list.error} />
      {ids.length > 0 ? (
        <VmTable
          items={items} view={view} sort={sort} onSort={(next) => set({ sort: next })} selected={selected} openId={openId}
          onPick={pick} onPickMany={(many) => setSelected((before) => pickedAll(before, many))} onFold={fold} allIds={ids}
          onOpen={(id) => set({ vm: id })} onMenu={(id, at) => setMenu({ id, at })} pointer={pointer.props}
        />
      ) : (
        ready && <Empty filtered={isFiltered(search)} any={list.rows.length > 0} />
      )}
      {picks.length > 0 && <PickBar vms={picks} hidden={picks.filter((vm) => !shownIds.has(vm.id)).length} onClear={clear} />}
      {menu && <VmMenu key={`${menu.id}-${menu.at.top}`} vmId={menu.id} at={menu.at} onClose={() => setMenu(null)} onOpen={(id) => set({ vm: id })} />}
      {openId !== undefined && <VmDrawer vmId={openId} onClose={() => set({ vm: undefined })} />}
    </main>
  )
}

function Empty({ filtered, any }: { filtered: boolean; any: boolean }) {
  const [, , navigate] = useVmsSearch()
  if (filtered && any) {
    return (
      <div className="panel empty">
        <p>{t('vms.none_match')}</p>
        <button type="button" className="btn" onClick={() => void navigate({ search: ({ view, sort }) => ({ view, sort }) })}>{t('filter.reset')}</button>
      </div>
    )
  }
  return (
    <div className="panel empty">
      <p>{t('vms.none')}</p>
      <button type="button" className="btn main" onClick={() => void navigate({ to: '/hosts', search: { add: true } })}><Icon name="plus" />{t('hosts.add')}</button>
    </div>
  )
}
