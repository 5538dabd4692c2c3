import { t } from '@/i18n'

export function JobsPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.jobs')}</h1></div>
    </main>
  )
}
