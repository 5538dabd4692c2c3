import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { JournalEvent, List } from '@/api/types'
import { t } from '@/i18n'
import { clockSeconds, day } from '@/i18n/format'
import { useLiveEvents } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Sign } from '@/parts/Icon'
import { eventWords } from '@/parts/words'

import { ExportButton, HistoryFilters, HistoryTabs } from './HistoryParts'
import { isOf, kindsOf, KIND_GROUPS } from './kinds'
import { asked, filterOf } from './search'

import './events.css'

const PAGE = 100

function Row({ event }: { event: JournalEvent }) {
  const { sign, tone, sentence } = eventWords(event)
  return (
    <tr>
      <td className="t2 nowrap"><time dateTime={event.at}>{clockSeconds(event.at)}</time></td>
      <td><span className="row-flex"><span className={`event-sign ${tone}`}><Sign name={sign} /></span><span>{sentence}</span></span></td>
      <td className="phone-hide">{/* A removed pharmacy has no page any more. */ event.pharmacy_id !== null && event.pharmacy_name && <Link to="/pharmacies/$pharmacyId" params={{ pharmacyId: event.pharmacy_id }}>{event.pharmacy_name}</Link>}</td>
      <td className="t2 phone-hide">{event.actor.kind === 'system' ? t('events.system') : (event.actor.name ?? (event.actor.id ? t('history.erased', { n: event.actor.id }) : ''))}</td>
      <td className="t3 small phone-hide"><span className="mono event-upid" title={event.upid ?? undefined}>{event.upid ?? ''}</span></td>
    </tr>
  )
}

export function EventsPage() {
  const search = useSearch({ from: '/app/events' })
  const navigate = useNavigate({ from: '/events' })
  const kinds = useMemo(() => kindsOf(search.kind), [search.kind])
  const query = asked(search, kinds)
  // What comes in now belongs on top, unless an older span or somebody's name is asked for.
  const following = !search.person && !search.to && !search.before
  const pages = useInfiniteQuery({
    queryKey: ['events', query, search.before],
    initialPageParam: search.before,
    queryFn: ({ pageParam, signal }) => api.get<List<JournalEvent>>('/api/events', { query: { ...query, before: pageParam, limit: PAGE }, signal }),
    getNextPageParam: (last) => (last.items.length < PAGE ? undefined : last.items.at(-1)?.seq),
  })
  const live = useLiveEvents()
  const rows = useMemo(() => {
    const fits = (event: JournalEvent) =>
      following &&
      (!kinds || isOf(event.kind, kinds)) &&
      (!search.pharmacy_id || event.pharmacy_id === search.pharmacy_id) &&
      (!search.host_id || event.host_id === search.host_id) &&
      (!search.vm_id || event.vm_id === search.vm_id)
    const known = pages.data?.pages.flatMap((page) => page.items) ?? []
    const merged = new Map([...live.filter(fits), ...known].map((event) => [event.seq, event]))
    return [...merged.values()].toSorted((a, b) => b.seq - a.seq)
  }, [live, pages.data, kinds, following, search.pharmacy_id, search.host_id, search.vm_id])
  const days = Map.groupBy(rows, (event) => day(event.at))
  return (
    <main className="page">
      <div className="page-head"><h1>{t('history.events')}</h1><HistoryTabs shown="events" /><ExportButton path="/api/events/export" name="pharmq-events" filter={filterOf(query)} /></div>
      <div className="filters">
        <HistoryFilters search={search} kinds={KIND_GROUPS.map((value) => ({ value, label: t(`events.kind.${value}`) }))} onChange={(change) => void navigate({ search: (before) => ({ ...before, ...change }), replace: true })} />
      </div>
      <Failure error={pages.error} />
      <div className="panel events">
        <table className="grid" aria-label={t('nav.events')}>
          <thead><tr><th>{t('events.at')}</th><th>{t('events.what')}</th><th className="phone-hide">{t('pharmacy.name')}</th><th className="phone-hide">{t('events.who')}</th><th className="phone-hide">{t('events.task')}</th></tr></thead>
          {[...days].map(([date, events]) => (
            <tbody key={date}>
              <tr><th colSpan={5} scope="rowgroup" className="event-day">{date}</th></tr>
              {events.map((event) => <Row key={event.seq} event={event} />)}
            </tbody>
          ))}
        </table>
        {rows.length === 0 && !pages.isPending && !pages.error && <p className="empty">{t(Object.keys(search).length ? 'list.none' : 'dash.no_events')}</p>}
      </div>
      {pages.hasNextPage && <button type="button" className="btn" disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>{t('act.more_rows')}</button>}
    </main>
  )
}
