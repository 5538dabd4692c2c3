import { NumberInput, Select } from '@mantine/core'

import type { Missed } from '@/api/schedule-types'
import { t } from '@/i18n'
import { Labelled, Segments } from '@/power/form/Toggles'

import { inUnit, UNIT_S, type Draft, type Unit } from './model'

const MOST_S = 7 * UNIT_S.d

function Within({ missed, onChange }: { missed: Missed; onChange: (missed: Missed) => void }) {
  const [n, unit] = inUnit(missed.within_s)
  const set = (amount: number, of: Unit) => onChange({ ...missed, within_s: Math.min(MOST_S, Math.max(60, amount * UNIT_S[of])) })
  return (
    <div className="row-flex">
      <NumberInput aria-label={t('schedules.within')} className="minutes-field" min={1} max={MOST_S / UNIT_S[unit]} allowDecimal={false} allowNegative={false} hideControls clampBehavior="blur" value={n} onChange={(next) => next !== '' && set(Number(next), unit)} />
      <Select aria-label={t('schedules.within_unit')} className="unit-field" allowDeselect={false} data={(['m', 'h', 'd'] as const).map((value) => ({ value, label: t(`unit.${value}`) }))} value={unit} onChange={(next) => set(n, (next ?? unit) as Unit)} />
      <span className="t2 nowrap">{t('schedules.within_end')}</span>
    </div>
  )
}

/** What becomes of a run that could not be, and of one that meets the one before. */
export function SafetyFields({ draft, onChange }: { draft: Draft; onChange: (change: Partial<Draft>) => void }) {
  const { missed, overlap } = draft
  return (
    <fieldset className="order-part">
      <legend>{t('schedules.safety')}</legend>
      <Labelled label={t('schedules.missed')} hint={t(`schedules.missed_hint.${missed.do}`)}>
        <div className="row-flex wrap">
          <Segments<Missed['do']> label={t('schedules.missed')} options={(['skip', 'once', 'when_back'] as const).map((value) => ({ value, label: t(`schedules.missed.${value}`) }))} value={missed.do} onChange={(what) => onChange({ missed: { ...missed, do: what } })} />
          {missed.do !== 'skip' && <Within missed={missed} onChange={(next) => onChange({ missed: next })} />}
        </div>
      </Labelled>
      <Labelled label={t('schedules.overlap')} hint={t(`schedules.overlap_hint.${overlap}`)}>
        <Segments<Draft['overlap']> label={t('schedules.overlap')} options={(['skip', 'queue'] as const).map((value) => ({ value, label: t(`schedules.overlap.${value}`) }))} value={overlap} onChange={(next) => onChange({ overlap: next })} />
      </Labelled>
    </fieldset>
  )
}
