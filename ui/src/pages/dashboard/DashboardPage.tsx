import { t } from '@/i18n'

export function DashboardPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.dashboard')}</h1></div>
    </main>
  )
}
