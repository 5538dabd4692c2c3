import { useCallback, useEffect, useMemo, useRef, useState } from 'react'

import { api } from '@/api/client'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { useCalm } from '@/live/order'
import { store, useChange, useReady, useRows } from '@/live/store'
import { usePointerOver } from '@/parts/bits'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

import { Filters, isFiltered, useVmsSearch } from './Filters'
import { useFoundVms } from './found'
import { arranged, Lines, LIVE_SORTS, picked, pickedAll, sameGroups, type Kept, type Known, type View } from './model'
import { PickBar } from './PickBar'
import { VmDrawer } from './VmDrawer'
import { VmMenu } from './VmMenu'
import { VmTable } from './VmTable'

import '@/parts/segments.css'
import './vms.css'

const known: Known = { vmsOf: () => store.world.vmsOf, vm: (id) => store.row('vms', id), pharmacy: (id) => store.row('pharmacies', id) }
const totalOf = (pharmacyId: number) => known.vmsOf().get(pharmacyId)?.length
const NONE: ReadonlySet<number> = new Set()

async function syncNow(): Promise<void> {
  try {
    const { requested } = await api.post<{ requested: number }>('/api/vms/sync')
    notifyDone(t('vms.syncing', { n: requested }))
  } catch (error) {
    notifyFailed(error)
  }
}

function allTags(): string[] {
  const tags = new Set<string>()
  for (const vm of store.world.maps.vms.values()) if (vm.tags.length > 0) for (const tag of vm.tags) tags.add(tag)
  return [...tags].toSorted()
}

/** VMs in order, and what the head of the page counts. `seen` is another object when any of it may have changed. */
function useList(sort: string, view: View) {
  const [search] = useVmsSearch()
  const found = useFoundVms(search.q)
  const moves = LIVE_SORTS.has(sort.replace(/^-/, ''))
  const seen = useChange('vms', moves, 'pharmacies')
  const { pharmacy_id: pharmacyId, group_id: groupId, type, status, host_status: hostStatus, tag } = search
  const wish = useMemo(() => {
    const wanted = { found: found.ids, pharmacyId, groupId, type, status, hostStatus, tag }
    const kept: Kept | undefined = moves ? undefined : new Map()
    return () => arranged(known, wanted, sort, view, kept)
  }, [found.ids, pharmacyId, groupId, type, status, hostStatus, tag, sort, view, moves])
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const list = useMemo(() => wish(), [wish, seen])
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const whole = useMemo(() => ({ tags: allTags(), total: store.world.maps.vms.size }), [seen])
  return { ...list, ...whole, seen, error: found.error }
}

export function VmsPage() {
  const [search, set] = useVmsSearch()
  const ready = useReady()
  const view: View = search.view === 'list' ? 'list' : 'tree'
  const sort = search.sort ?? 'attention'
  const list = useList(sort, view)
  const pointer = usePointerOver<HTMLDivElement>()
  const { vm: openId, ...asked } = search
  const groups = useCalm(list.groups, JSON.stringify([asked, view]), pointer.held, sameGroups)
  const [selected, setSelected] = useState(NONE)
  const [closed, setClosed] = useState(NONE)
  const [menu, setMenu] = useState<{ id: number; at: DOMRect } | null>(null)
  const anchor = useRef<number>(undefined)
  const lines = useMemo(() => new Lines(groups, view, totalOf, closed), [groups, view, closed])
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const picks = useMemo(() => [...selected].toSorted((a, b) => a - b).map(known.vm).filter((vm) => vm !== undefined), [selected, list.seen])
  const pharmacies = useRows('pharmacies', 5000)
  const groupName = search.group_id ? pharmacies.flatMap((one) => one.groups).find((group) => group.id === search.group_id)?.name : undefined
  const clear = useCallback(() => setSelected(NONE), [])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.code === 'Escape' && !event.defaultPrevented && event.target === document.body) clear()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [clear])

  const pick = (id: number, range: boolean) => {
    setSelected((before) => picked(before, range ? lines.shownIds() : [], id, anchor.current, range))
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
        <span className="t2" role="status">{lines.vms === list.total ? t('unit.machines', { n: count(list.total) }) : t('vms.of', { total: count(list.total), n: count(lines.vms) })} · {t('vms.places', { n: count(list.places) })}</span>
        <span className="grow" />
        <span className="segments" role="group" aria-label={t('vms.view')}>
          <button type="button" aria-pressed={view === 'tree'} onClick={() => set({ view: undefined })}>{t('vms.view_tree')}</button>
          <button type="button" aria-pressed={view === 'list'} onClick={() => set({ view: 'list' })}>{t('vms.view_list')}</button>
        </span>
        <button type="button" className="btn" onClick={() => void syncNow()}><Icon name="refresh" />{t('act.sync')}</button>
      </div>
      <Filters tags={list.tags} groupName={groupName} view={view} sort={sort} />
      <Failure error={list.error} />
      {lines.vms > 0 ? (
        <VmTable
          lines={lines} view={view} sort={sort} onSort={(next) => set({ sort: next })} selected={selected} openId={openId}
          onPick={pick} onPickMany={(many) => setSelected((before) => pickedAll(before, many))} onFold={fold}
          onOpen={(id) => set({ vm: id })} onMenu={(id, at) => setMenu({ id, at })} pointer={pointer.props}
        />
      ) : (
        ready ? <Empty filtered={isFiltered(search)} any={list.total > 0} /> : <p className="t3" role="status">{t('link.connecting')}</p>
      )}
      {picks.length > 0 && <PickBar vms={picks} hidden={picks.filter((vm) => !lines.has(vm.id)).length} onClear={clear} />}
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
