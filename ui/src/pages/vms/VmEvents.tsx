import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import { api } from '@/api/client'
import type { JournalEvent, List } from '@/api/types'
import { t } from '@/i18n'
import { moment } from '@/i18n/format'
import { useLiveEvents, useNow } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { Sign } from '@/parts/Icon'
import { eventWords } from '@/parts/words'

const LIMIT = 20

export function VmEvents({ vmId }: { vmId: number }) {
  const first = useQuery({
    queryKey: ['events', 'vm', vmId],
    queryFn: ({ signal }) => api.get<List<JournalEvent>>('/api/events', { query: { vm_id: vmId, limit: LIMIT }, signal }),
  })
  const live = useLiveEvents()
  const now = useNow(10_000)
  const rows = useMemo(() => {
    const merged = new Map([...live.filter((event) => event.vm_id === vmId), ...(first.data?.items ?? [])].map((event) => [event.seq, event]))
    return [...merged.values()].toSorted((a, b) => b.seq - a.seq).slice(0, LIMIT)
  }, [live, first.data, vmId])
  return (
    <>
      <div className="row-flex"><h3 className="grow">{t('vms.events')}</h3><Link className="small" to="/events" search={{ vm_id: vmId }}>{t('pharmacy.all_events')}</Link></div>
      <Failure error={first.error} />
      <ul className="events">
        {rows.map((event) => {
          const { sign, tone, sentence, note } = eventWords(event)
          return <li key={event.seq}><time className="t2" dateTime={event.at}>{moment(event.at, now)}</time><span className={tone}><Sign name={sign} size={14} /></span><span>{sentence} {note && <span className="small t3">{note}</span>}</span></li>
        })}
      </ul>
      {rows.length === 0 && !first.isPending && <p className="t2">{t('dash.no_events')}</p>}
    </>
  )
}
