/** The tree or list of VMs: only the lines in sight exist, each follows its own VM; arrows and Space work as in any list. */
import { useMediaQuery } from '@mantine/hooks'
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'

import { t, type MessageKey } from '@/i18n'
import { isComposing } from '@/parts/bits'
import { Icon } from '@/parts/Icon'
import { useSight } from '@/parts/sight'

import { GroupLine, TriState } from './GroupLine'
import type { Lines, View } from './model'
import { VmLine, type LineActs } from './VmLine'

const COLUMNS: readonly (readonly [name: string, sort: string, label: MessageKey, num?: true])[] = [
  ['vmid', 'vmid', 'vms.vmid'], ['name', 'vm_name', 'vms.name'], ['type', 'type', 'vms.type'], ['state', 'status', 'vms.status'],
  ['cpu', 'cpu', 'measure.cpu'], ['memory', 'memory', 'measure.memory'], ['ip', 'ip', 'vms.ip'], ['uptime', 'uptime', 'vms.uptime', true],
]

function Head({ sort, onSort, all, some, onAll }: { sort: string; onSort: (sort: string) => void; all: boolean; some: boolean; onAll: () => void }) {
  return (
    <div className="vt-row vt-columns" role="row" aria-rowindex={1}>
      <span role="columnheader" className="vt-check"><TriState all={all} some={some} label={t('vms.select_all')} onClick={onAll} /></span>
      <span aria-hidden="true" className="vt-tree none" />
      {COLUMNS.map(([name, key, label, num]) => {
        const direction = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : undefined
        return (
          <span key={name} role="columnheader" aria-sort={direction ?? 'none'} className={`vt-${name} ${num ? 'num' : ''}`}>
            <button type="button" onClick={() => onSort(direction === 'ascending' ? `-${key}` : key)}>{t(label)}{direction && <Icon name={direction === 'ascending' ? 'up' : 'down'} size={12} />}</button>
          </span>
        )
      })}
      <span role="columnheader"><span className="sr">{t('vms.acts')}</span></span>
    </div>
  )
}

interface Props {
  lines: Lines
  view: View
  sort: string
  onSort: (sort: string) => void
  selected: ReadonlySet<number>
  openId: number | undefined
  onPick: (id: number, range: boolean) => void
  onPickMany: (ids: readonly number[]) => void
  onFold: (pharmacyId: number, fold?: boolean) => void
  onOpen: (id: number) => void
  onMenu: (id: number, at: DOMRect) => void
  pointer: React.HTMLAttributes<HTMLDivElement>
}

/** A function that stays the same while it does the latest thing. */
function useStable<A extends unknown[]>(act: (...args: A) => void): (...args: A) => void {
  const latest = useRef(act)
  useLayoutEffect(() => {
    latest.current = act
  })
  return useCallback((...args: A) => latest.current(...args), [])
}

export function VmTable({ lines, view, sort, onSort, selected, openId, onPick, onPickMany, onFold, onOpen, onMenu, pointer }: Props) {
  const phone = useMediaQuery('(max-width: 767px)') ?? false
  const [at, setAt] = useState(0)
  const moved = useRef(false)
  const top = useCallback((index: number) => {
    if (!phone) return index * 36
    const heads = lines.headsBefore(index)
    return heads * 48 + (index - heads) * 64
  }, [phone, lines])
  const { body, first, end, show } = useSight(lines.length, top)
  const current = Math.min(at, lines.length - 1)
  useEffect(() => {
    if (!moved.current) return
    moved.current = false
    body.current?.querySelector<HTMLElement>(`[data-index="${current}"]`)?.focus({ preventScroll: true })
  })
  const toggle = useStable((pharmacyId: number) => onFold(pharmacyId))
  const selectGroup = useStable((pharmacyId: number) => onPickMany(lines.groups.find((group) => group.pharmacyId === pharmacyId)?.ids ?? []))
  const pick = useStable(onPick)
  const open = useStable(onOpen)
  const menu = useStable(onMenu)
  const acts = useMemo<LineActs>(() => ({ pick, open, menu }), [pick, open, menu])

  const move = (to: number) => {
    const next = Math.max(0, Math.min(lines.length - 1, to))
    moved.current = true
    setAt(next)
    show(next, 40, 80)
  }
  const onKeyDown = (event: React.KeyboardEvent<HTMLElement>) => {
    const target = event.target as HTMLElement
    if (isComposing(event) || !target.matches('[role=row]')) return
    const item = lines.at(current)
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -lines.length, End: lines.length }[event.code]
    if (step !== undefined) {
      const next = lines.at(Math.max(0, Math.min(lines.length - 1, current + step)))
      if (event.shiftKey && next?.kind === 'vm' && !selected.has(next.id)) onPick(next.id, false)
      move(current + step)
    } else if (event.code === 'Space') {
      if (item?.kind === 'vm') onPick(item.id, event.shiftKey)
      else if (item) onPickMany(item.ids)
    } else if (event.code === 'Enter' || event.code === 'NumpadEnter') {
      if (item?.kind === 'vm') onOpen(item.id)
      else if (item) onFold(item.pharmacyId)
    } else if (event.code === 'ArrowLeft' && item?.kind === 'group') onFold(item.pharmacyId, true)
    else if (event.code === 'ArrowRight' && item?.kind === 'group') onFold(item.pharmacyId, false)
    else if (event.code === 'ArrowLeft' && item) move(view === 'tree' ? lines.headOf(current) : -1)
    else if (event.code === 'KeyA' && (event.ctrlKey || event.metaKey)) onPickMany(lines.allIds())
    else return
    event.preventDefault()
  }
  const count = useMemo(() => [...selected].reduce((n, id) => n + (lines.has(id) ? 1 : 0), 0), [selected, lines])
  const drawn = Array.from({ length: end - first }, (_, place) => first + place)
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus
    <div className={view === 'tree' ? 'vt' : 'vt flat'} role="treegrid" aria-multiselectable aria-label={t('vms.title')} aria-rowcount={lines.length + 1} onKeyDown={onKeyDown} onFocus={(event) => note(event.target, setAt)} {...pointer}>
      <Head sort={sort} onSort={onSort} all={count > 0 && count === lines.vms} some={count > 0} onAll={() => onPickMany(lines.allIds())} />
      <div className="vt-body" role="rowgroup" ref={body} style={{ height: top(lines.length) }}>
        {drawn.map((index) => {
          const item = lines.at(index)!
          if (item.kind === 'vm') return <VmLine key={item.id} id={item.id} index={index} top={top(index)} tree={view === 'tree'} last={item.last} selected={selected.has(item.id)} current={index === current} opened={item.id === openId} act={acts} />
          const chosen = selected.size === 0 ? 0 : item.ids.reduce((n, id) => n + (selected.has(id) ? 1 : 0), 0)
          return <GroupLine key={`g${item.pharmacyId}`} pharmacyId={item.pharmacyId} index={index} top={top(index)} shown={item.ids.length} total={item.total} open={item.open} all={chosen === item.ids.length} some={chosen > 0} current={index === current} onToggle={toggle} onSelect={selectGroup} />
        })}
      </div>
    </div>
  )
}

/** The keyboard's place follows focus that came by mouse or Tab. */
function note(target: EventTarget, setAt: (index: number) => void): void {
  const index = (target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index
  if (index !== undefined) setAt(Number(index))
}
