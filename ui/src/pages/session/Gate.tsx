import { currentLang, setLang, t } from '@/i18n'
import { Icon } from '@/parts/Icon'

import './gate.css'

/** The page before one is in: a mark, one form, the language. */
export function Gate({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <main className="gate">
      <div className="gate-box">
        <p className="gate-brand"><span className="gate-mark"><Icon name="plus" /></span> PharmQ</p>
        <h1>{title}</h1>
        {children}
        <button type="button" className="link small" onClick={() => void setLang(currentLang() === 'ko' ? 'en' : 'ko')}>{t('top.language')}</button>
      </div>
    </main>
  )
}
