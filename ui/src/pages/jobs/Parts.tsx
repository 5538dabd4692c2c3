import { Link } from '@tanstack/react-router'

import { t, type MessageKey } from '@/i18n'

type To = '/jobs' | '/schedules' | '/schedules/calendar' | '/jobs/onboot'
const PARTS: readonly (readonly [To, MessageKey])[] = [['/jobs', 'jobs.title'], ['/schedules', 'schedules.title'], ['/schedules/calendar', 'schedules.calendar'], ['/jobs/onboot', 'onboot.title']]

/** What belongs together here: jobs, schedules, their week, and what a power cut would leave off. */
export function Parts({ at }: { at: To }) {
  return (
    <nav className="filters" aria-label={t('nav.jobs')}>
      {PARTS.map(([to, label]) => <Link key={to} to={to} className={to === at ? 'chip on' : 'chip'} activeOptions={{ exact: true, includeSearch: false }} aria-current={to === at ? 'page' : undefined}>{t(label)}</Link>)}
    </nav>
  )
}
