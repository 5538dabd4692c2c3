import { t } from '@/i18n'

export function EventsPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.events')}</h1></div>
    </main>
  )
}
