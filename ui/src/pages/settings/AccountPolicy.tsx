import { NumberInput, Switch } from '@mantine/core'

import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { useSettingsForm } from '@/parts/settings-form'

interface Rules {
  rotate_days: number
  provision_automatically: boolean
}

/** Rotation by itself, and accounts for new hosts by itself. */
export function AccountPolicy() {
  const { values: rules, set, save, error, failure, idle } = useSettingsForm<Rules>({ related: ['accounts', 'accounts-report'] })
  return (
    <section className="panel" aria-labelledby="account-policy-title">
      <header><h2 id="account-policy-title">{t('accounts.policy')}</h2></header>
      <form className="panel-body form" onSubmit={save}>
        <Failure error={failure} />
        {rules && (
          <>
            <NumberInput className="account-days" label={t('accounts.days')} description={t('accounts.days_why')} hideControls min={0} max={3650} value={rules.rotate_days} error={fieldError(error, 'rotate_days')} onChange={(value) => set({ rotate_days: Number(value) })} />
            <Switch label={t('accounts.automatic')} checked={rules.provision_automatically} onChange={(event) => set({ provision_automatically: event.currentTarget.checked })} />
          </>
        )}
        <div className="form-foot"><button type="submit" className="btn main" disabled={idle}>{t('act.save')}</button></div>
      </form>
    </section>
  )
}
