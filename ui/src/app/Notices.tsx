import { t } from '@/i18n'
import { Failure } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { dismiss, useNotices } from '@/parts/notify'

import './notices.css'

export function Notices() {
  const notices = useNotices()
  return (
    <div className="notices" aria-live="polite">
      {notices.map((one) => (
        <div key={one.id} className="notice">
          {one.kind === 'failed' ? <Failure error={one.error} /> : <p className="row-flex run"><Sign name="ok" /><span className="t1">{one.text}</span></p>}
          <button type="button" className="btn ghost icon in-row" aria-label={t('act.dismiss')} onClick={() => dismiss(one.id)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  )
}
