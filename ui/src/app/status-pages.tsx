import { Link } from '@tanstack/react-router'

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

/** A page that threw: the shell stays, the rest can be tried again. */
export function PageError({ error, reset }: { error: unknown; reset?: () => void }) {
  return (
    <main className="page">
      <Failure error={error}>
        <button type="button" className="btn" onClick={() => (reset ? reset() : location.reload())}>{t('act.retry')}</button>
      </Failure>
    </main>
  )
}
