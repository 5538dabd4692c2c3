/** A table of live rows: ids in, one grid row each, only those in sight exist, each subscribed to its own row. */
import { useMediaQuery } from '@mantine/hooks'
import { memo, useCallback, useMemo } from 'react'

import { t } from '@/i18n'
import type { Kind, RowOf } from '@/live/model'
import { useRow } from '@/live/store'

import { Icon } from './Icon'
import { useSight } from './sight'

export interface Column<T> {
  key: string
  label: string
  /** A CSS grid track. */
  width: string
  num?: boolean
  /** Left out on a phone. */
  wide?: boolean
  /** The column's name in `sort`; none = not sortable. */
  sort?: string
  cell: (row: T) => React.ReactNode
}

interface RowProps<K extends Kind> {
  kind: K
  id: number
  index: number
  top: number
  columns: readonly Column<RowOf[K]>[]
  isStale?: (row: RowOf[K]) => boolean
}

function PlainRow<K extends Kind>({ kind, id, index, top, columns, isStale }: RowProps<K>) {
  const row = useRow(kind, id)
  return (
    <div className={row && isStale?.(row) ? 'lt-row stale' : 'lt-row'} role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${top}px)` }}>
      {row && columns.map((column) => <div key={column.key} role="cell" className={column.num ? 'num' : undefined}>{column.cell(row)}</div>)}
    </div>
  )
}
const Row = memo(PlainRow) as typeof PlainRow

interface Props<K extends Kind> {
  kind: K
  label: string
  ids: readonly number[]
  columns: readonly Column<RowOf[K]>[]
  sort?: string
  onSort?: (sort: string) => void
  isStale?: (row: RowOf[K]) => boolean
  pointer?: React.HTMLAttributes<HTMLDivElement>
}

function HeadCell<T>({ column, sort, onSort }: { column: Column<T>; sort?: string; onSort?: (sort: string) => void }) {
  const name = column.sort
  const direction = name && sort === name ? 'ascending' : name && sort === `-${name}` ? 'descending' : undefined
  return (
    <div role="columnheader" className={column.num ? 'num' : undefined} aria-sort={direction ?? (name ? 'none' : undefined)}>
      {name && onSort ? (
        <button type="button" onClick={() => onSort(direction === 'ascending' ? `-${name}` : name)}>
          {column.label}
          {direction && <Icon name={direction === 'ascending' ? 'up' : 'down'} size={12} />}
        </button>
      ) : (
        column.label
      )}
    </div>
  )
}

/** Arrow keys move between the rows' links, as in any list. */
function moveFocus(event: React.KeyboardEvent<HTMLElement>): void {
  if (event.code !== 'ArrowDown' && event.code !== 'ArrowUp') return
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-row-link]')]
    .toSorted((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
  const at = links.findIndex((link) => link.closest('[role=row]')?.contains(document.activeElement))
  const next = links[at + (event.code === 'ArrowDown' ? 1 : -1)]
  if (!next) return
  event.preventDefault()
  next.focus()
}

export function LiveTable<K extends Kind>({ kind, label, ids, columns, sort, onSort, isStale, pointer }: Props<K>) {
  const phone = useMediaQuery('(max-width: 767px)') ?? false
  const shown = useMemo(() => (phone ? columns.filter((column) => !column.wide) : columns), [phone, columns])
  const height = phone ? 48 : 36
  const top = useCallback((index: number) => index * height, [height])
  const { body, first, end } = useSight(ids.length, top)
  const drawn = ids.slice(first, end)
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus
    <div className="lt" role="table" aria-label={label} aria-rowcount={ids.length + 1} style={{ '--cols': shown.map((column) => (phone ? column.width.replace(/minmax\(\d+px/, 'minmax(0') : column.width)).join(' ') } as React.CSSProperties} onKeyDown={moveFocus} {...pointer}>
      <div className="lt-row lt-head" role="row">{shown.map((column) => <HeadCell key={column.key} column={column} sort={sort} onSort={onSort} />)}</div>
      <div className="lt-body" role="rowgroup" ref={body} style={{ height: top(ids.length) }}>
        {drawn.map((id, place) => (
          <Row key={id} kind={kind} id={id} index={first + place} top={top(first + place)} columns={shown as readonly Column<RowOf[K]>[]} isStale={isStale} />
        ))}
      </div>
      {ids.length === 0 && <p className="empty">{t('list.none')}</p>}
    </div>
  )
}
