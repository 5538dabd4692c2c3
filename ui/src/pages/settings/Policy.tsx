import { NumberInput, Switch, Textarea } from '@mantine/core'

import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { useSettingsForm } from '@/parts/settings-form'

interface Rules {
  second_factor_required: boolean
  inside_networks: string[]
  lock_minutes: number
  reauth_minutes: number
  invitation_hours: number
}

const NUMBERS = [['lock_minutes', 'policy.lock'], ['reauth_minutes', 'policy.reauth'], ['invitation_hours', 'policy.invitation']] as const

const tidy = ({ inside_networks: networks, ...change }: Partial<Rules>): Partial<Rules> =>
  networks ? { ...change, inside_networks: networks.map((one) => one.trim()).filter(Boolean) } : change

/** Who needs a second factor, where inside is, and for how long things hold. */
export function Policy() {
  const { values: rules, set, save, error, failure, idle } = useSettingsForm<Rules>({ related: ['session'], tidy })
  return (
    <section className="panel" aria-labelledby="policy-title">
      <header><h2 id="policy-title">{t('policy.title')}</h2></header>
      <form className="panel-body form" onSubmit={save}>
        <Failure error={failure} />
        {rules && (
          <>
            <Switch label={t('policy.tfa')} checked={rules.second_factor_required} onChange={(event) => set({ second_factor_required: event.currentTarget.checked })} />
            <Textarea label={t('policy.networks')} description={t('policy.networks_why')} autosize minRows={2} spellCheck={false} value={rules.inside_networks.join('\n')} error={fieldError(error, 'inside_networks')} onChange={(event) => set({ inside_networks: event.currentTarget.value.split('\n') })} />
            <div className="settings-grid">
              {NUMBERS.map(([key, label]) => <NumberInput key={key} label={t(label)} hideControls value={rules[key]} error={fieldError(error, key)} onChange={(value) => set({ [key]: Number(value) })} />)}
            </div>
          </>
        )}
        <div className="form-foot"><button type="submit" className="btn main" disabled={idle}>{t('act.save')}</button></div>
      </form>
    </section>
  )
}
