import { t } from '@/i18n'

import { Credentials } from './Credentials'
import { Groups } from './Groups'
import { Runtime } from './Runtime'

import './settings.css'

export function SettingsPage() {
  return (
    <main className="page settings">
      <div className="page-head"><h1>{t('nav.settings')}</h1></div>
      <Credentials />
      <Groups />
      <Runtime />
    </main>
  )
}
