import { Link } from '@tanstack/react-router'

import { ApiError } from '@/api/client'
import { t } from '@/i18n'
import { Failure } from '@/parts/Failure'

export function NotFound() {
  return (
    <main className="page">
      <div className="empty" role="alert">
        <p className="strong">{t('notfound.title')}</p>
        <p>{t('notfound.why')}</p>
        <p>{t('notfound.remedy')}</p>
        <Link className="btn" to="/">{t('nav.dashboard')}</Link>
      </div>
    </main>
  )
}

/** A page's part is not there (any more): each browser says it in its own words. */
const GONE = /dynamically imported module|Importing a module script failed|Unable to preload CSS/i

/** A page that threw: the shell stays, the rest can be tried again. An update takes the parts of the page that is open away: only loading it anew helps, and only the person knows when (consoles would be cut). */
export function PageError({ error, reset }: { error: unknown; reset?: () => void }) {
  const outdated = error instanceof Error && GONE.test(error.message)
  return (
    <main className="page">
      <Failure error={outdated ? new ApiError(0, 'ui.outdated') : error}>
        <button type="button" className="btn" onClick={() => (reset && !outdated ? reset() : location.reload())}>{t(outdated ? 'act.reload' : 'act.retry')}</button>
      </Failure>
    </main>
  )
}
