import type { SchedulePreview } from '@/api/schedule-types'
import { t } from '@/i18n'
import { count, dayAndTime, dayAndTimeIn, dayWords } from '@/i18n/format'
import { Sign } from '@/parts/Icon'

import { dayOf, knownZone, SEOUL } from './model'

type Row = { key: string; day: string; run?: SchedulePreview['runs'][number]; avoided?: SchedulePreview['avoided'][number] }

/** Runs and the days they avoid, as they follow each other. */
function rowsOf({ runs, avoided }: SchedulePreview, zone: string): Row[] {
  const rows: Row[] = [
    ...runs.map((run) => ({ key: run.at, day: dayOf(run.at, zone), run })),
    ...avoided.map((one) => ({ key: `avoided ${one.day}`, day: one.day, avoided: one })),
  ]
  return rows.toSorted((a, b) => a.day.localeCompare(b.day) || (a.run?.at ?? '').localeCompare(b.run?.at ?? ''))
}

/** The next runs before anything is saved, and what one of them would touch if it were now. */
export function Preview({ preview, zone: wanted }: { preview: SchedulePreview; zone: string }) {
  const zone = knownZone(wanted)
  const rows = rowsOf(preview, zone)
  return (
    <div className="form" role="status">
      {preview.runs.length === 0 && <p className="warn row-flex"><Sign name="warning" />{t('schedules.never')}</p>}
      <ol className="next-runs" aria-label={t('schedules.next_five')}>
        {rows.map(({ key, run, avoided }) => (
          <li key={key} className={avoided ? 'avoided' : undefined}>
            {run ? (
              <>
                <time dateTime={run.at} className="strong">{zone === SEOUL ? dayAndTime(run.at) : dayAndTimeIn(run.at, zone)}</time>
                {zone !== SEOUL && <span className="small t3">{t('schedules.in_seoul', { at: dayAndTime(run.at) })}</span>}
                {run.holiday && <span className="tag plain">{run.holiday}</span>}
                {run.pharmacies !== null && <span className="small t2">{t('vms.places', { n: run.pharmacies })}</span>}
              </>
            ) : (
              <>
                <span>{dayWords(avoided!.day)}</span>
                <span className="small">{avoided!.why === 'holiday' ? (avoided!.name ?? t('schedules.holidays')) : t('schedules.except')} · {t('schedules.avoided')}</span>
              </>
            )}
          </li>
        ))}
      </ol>
      <p>{preview.guests > 0 ? t('schedules.would_touch', { n: count(preview.guests), places: count(preview.pharmacies) }) : t('schedules.would_nothing')}{preview.skipped > 0 && <span className="t2"> {t('schedules.would_skip', { n: count(preview.skipped) })}</span>}</p>
      {preview.without_hours > 0 && <p className="warn small">{t('schedules.without_hours', { n: preview.without_hours })}</p>}
    </div>
  )
}
