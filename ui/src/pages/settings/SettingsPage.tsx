import { t } from '@/i18n'

export function SettingsPage() {
  return (
    <main className="page">
      <div className="page-head"><h1>{t('nav.settings')}</h1></div>
    </main>
  )
}
