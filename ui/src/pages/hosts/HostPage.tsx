import { t } from '@/i18n'

export function HostPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.hosts')}</h1></div>
    </main>
  )
}
