import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { api } from '@/api/client'
import type { Schedule } from '@/api/schedule-types'
import type { List } from '@/api/types'
import { t } from '@/i18n'
import { useNow } from '@/live/store'
import { useFreshSchedules } from '@/pages/schedules/acts'
import { TargetWords } from '@/pages/schedules/Marks'
import { coming } from '@/pages/schedules/words'
import { Failure } from '@/parts/Failure'
import { verbWords } from '@/power/words'

const SHOWN = 3

/** What will happen by itself next. */
export function NextRuns() {
  const now = useNow(60_000)
  const { data, error } = useQuery({
    queryKey: ['schedules', 'next'],
    queryFn: ({ signal }) => api.get<List<Schedule>>('/api/schedules', { query: { limit: SHOWN }, signal }),
  })
  useFreshSchedules()
  const next = data?.items.filter((one) => one.next_at !== null) ?? []
  return (
    <section aria-labelledby="next-runs-title">
      <p className="subhead"><span id="next-runs-title">{t('dash.next_runs')}</span><Link to="/schedules">{t('schedules.title')}</Link></p>
      <Failure error={error} />
      {data && next.length === 0 && <p className="empty">{t('dash.no_next_runs')}</p>}
      {next.map((one) => (
        <Link key={one.id} to="/schedules" search={{ schedule: one.id }} className="line next-run">
          <time className="t2" dateTime={one.next_at!}>{coming(one.next_at!, now)}</time>
          <span className="strong ellipsis">{one.name}</span>
          <span className="small t2 ellipsis">{verbWords(one.verb, one.force)} · <TargetWords targets={one.targets} /></span>
        </Link>
      ))}
    </section>
  )
}
