import { NumberInput } from '@mantine/core'

import { t, tMaybe } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { useSettingsForm } from '@/parts/settings-form'

type Values = Record<string, number | string | boolean>
/** Stand on pages of their own: the security policy, service accounts, the audit. */
const POLICY = new Set(['lock_minutes', 'reauth_minutes', 'invitation_hours', 'rotate_days', 'keep_access_days', 'keep_grants_days'])

/** Numbers that may change while PharmQ runs; the server knows their bounds and says so by field. */
export function Runtime() {
  const { values = {}, set, save, error, failure, idle } = useSettingsForm<Values>()
  return (
    <section className="panel" aria-labelledby="runtime-title">
      <header><h2 id="runtime-title">{t('settings.runtime')}</h2></header>
      <form className="panel-body form" onSubmit={save}>
        <Failure error={failure} />
        <div className="settings-grid">
          {Object.entries(values).filter(([key, value]) => typeof value === 'number' && !POLICY.has(key)).map(([key, value]) => (
            <NumberInput key={key} label={tMaybe(`setting.${key}`) ?? key} value={value as number} hideControls error={fieldError(error, key)} onChange={(next) => set({ [key]: Number(next) })} />
          ))}
        </div>
        <div className="form-foot"><button type="submit" className="btn main" disabled={idle}>{t('act.save')}</button></div>
      </form>
    </section>
  )
}
