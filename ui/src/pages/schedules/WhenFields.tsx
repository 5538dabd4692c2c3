import { NumberInput, Select, TextInput } from '@mantine/core'
import { useMemo, useState } from 'react'

import type { When } from '@/api/schedule-types'
import type { Weekday } from '@/api/types'
import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'
import { Labelled, Segments, Toggles } from '@/power/form/Toggles'

import { isDay, MOST_MINUTES, SEOUL, WEEKDAYS, WEEKEND, WORKDAYS, type WhenDraft } from './model'

interface Props {
  when: WhenDraft
  onChange: (change: Partial<WhenDraft>) => void
  /** The server's sentence for a field, by its path. */
  wrong: (field: string) => string | undefined
}

const PRESETS: readonly (readonly [key: 'every_day' | 'workdays' | 'weekend', days: readonly Weekday[]])[] = [['every_day', WEEKDAYS], ['workdays', WORKDAYS], ['weekend', WEEKEND]]

function Days({ value, onChange }: { value: readonly Weekday[]; onChange: (days: Weekday[]) => void }) {
  return (
    <Labelled label={t('schedules.days')}>
      <div className="row-flex wrap">
        <Toggles label={t('schedules.days')} options={WEEKDAYS.map((day) => ({ value: day, label: t(`weekday.${day}`) }))} value={value} onChange={onChange} />
        {PRESETS.map(([key, days]) => <button key={key} type="button" className="link small" onClick={() => onChange([...days])}>{t(`schedules.${key}`)}</button>)}
      </div>
    </Labelled>
  )
}

function Times({ value, onChange }: { value: readonly string[]; onChange: (times: string[]) => void }) {
  const put = (at: number, time: string) => onChange(value.map((one, n) => (n === at ? time : one)))
  return (
    <Labelled label={t('schedules.times')}>
      <div className="row-flex wrap">
        {value.map((time, at) => (
          <span key={at} className="time-field">
            <input type="time" className="native" required value={time} aria-label={t('schedules.time_n', { n: at + 1 })} onChange={(event) => put(at, event.currentTarget.value)} />
            {value.length > 1 && <button type="button" className="btn ghost icon" aria-label={t('schedules.time_remove', { n: at + 1 })} onClick={() => onChange(value.filter((_, n) => n !== at))}><Icon name="close" size={12} /></button>}
          </span>
        ))}
        {value.length < 48 && <button type="button" className="btn" onClick={() => onChange([...value, ''])}><Icon name="plus" />{t('schedules.time_add')}</button>}
      </div>
    </Labelled>
  )
}

const CRON_EXAMPLES = ['30 8 * * 1-5', '0 22 * * *', '0 4 1 * *', '0 3 * * SUN#1'] as const

function Rule({ when, onChange, wrong }: Props) {
  if (when.kind === 'weekly') {
    return (
      <>
        <Days value={when.days} onChange={(days) => onChange({ days })} />
        <Times value={when.times} onChange={(times) => onChange({ times })} />
      </>
    )
  }
  if (when.kind === 'cron') {
    return (
      <>
        <TextInput label={t('schedules.cron')} description={t('schedules.cron_hint')} className="cron-field" value={when.expression} error={wrong('when.rule.expression')} onChange={(event) => onChange({ expression: event.currentTarget.value })} autoComplete="off" spellCheck={false} />
        <p className="row-flex wrap small">{CRON_EXAMPLES.map((one) => <button key={one} type="button" className="link" onClick={() => onChange({ expression: one })}><code className="mono">{one}</code></button>)}</p>
      </>
    )
  }
  return (
    <>
      <Labelled label={t('schedules.moment')} hint={t('schedules.moment_hint')}>
        <div className="row-flex wrap">
          <Segments label={t('schedules.edge')} options={(['open', 'close'] as const).map((value) => ({ value, label: t(`schedules.edge.${value}`) }))} value={when.edge} onChange={(edge) => onChange({ edge })} />
          <NumberInput aria-label={t('schedules.minutes')} className="minutes-field" min={0} max={MOST_MINUTES} allowDecimal={false} allowNegative={false} hideControls clampBehavior="blur" suffix={` ${t('unit.m')}`} value={when.minutes ?? ''} onChange={(next) => onChange({ minutes: next === '' ? null : Number(next) })} />
          <Segments label={t('schedules.side')} options={(['before', 'after'] as const).map((value) => ({ value, label: t(`schedules.side.${value}`) }))} value={when.side} onChange={(side) => onChange({ side })} />
        </div>
      </Labelled>
      <Days value={when.days} onChange={(days) => onChange({ days })} />
    </>
  )
}

function useZones(current: string): { value: string; label: string }[] {
  return useMemo(() => [...new Set([SEOUL, current, 'UTC', ...Intl.supportedValuesOf('timeZone')])].map((value) => ({ value, label: value })), [current])
}

function Exceptions({ value, onChange }: { value: readonly string[]; onChange: (days: string[]) => void }) {
  const [day, setDay] = useState('')
  const add = () => {
    if (!isDay(day)) return
    onChange([...new Set([...value, day])].toSorted())
    setDay('')
  }
  return (
    <Labelled label={t('schedules.except')} hint={t('schedules.except_hint')}>
      <div className="row-flex wrap">
        <input type="date" className="native" value={day} aria-label={t('schedules.except')} onChange={(event) => setDay(event.currentTarget.value)} onKeyDown={(event) => {
          if (event.code !== 'Enter') return
          event.preventDefault()
          add()
        }} />
        <button type="button" className="btn" disabled={!isDay(day)} onClick={add}><Icon name="plus" />{t('order.add')}</button>
        {value.map((one) => <span key={one} className="chosen"><span>{one}</span><button type="button" aria-label={t('order.take_out', { name: one })} onClick={() => onChange(value.filter((each) => each !== one))}><Icon name="close" size={12} /></button></span>)}
      </div>
    </Labelled>
  )
}

function Range({ when, onChange, wrong }: Props) {
  const [from, until] = [wrong('when.from'), wrong('when.until')]
  return (
    <Labelled label={t('schedules.period')}>
      <div className="row-flex wrap">
        <input type="date" className="native" value={when.from} aria-label={t('schedules.from')} onChange={(event) => onChange({ from: event.currentTarget.value })} />
        <span className="t3">–</span>
        <input type="date" className="native" value={when.until} aria-label={t('schedules.until')} min={when.from || undefined} onChange={(event) => onChange({ until: event.currentTarget.value })} />
        {!when.from && !when.until && <span className="small t3">{t('schedules.no_end')}</span>}
      </div>
      {(from ?? until) && <span className="small off" role="alert">{from ?? until}</span>}
    </Labelled>
  )
}

/** When it runs: the rule, then what narrows it. */
export function WhenFields({ when, onChange, wrong }: Props) {
  const zones = useZones(when.zone)
  return (
    <fieldset className="order-part">
      <legend>{t('schedules.when')}</legend>
      <Segments label={t('schedules.kind')} options={(['weekly', 'opening', 'cron'] as const).map((value) => ({ value, label: t(`schedules.kind.${value}`) }))} value={when.kind} onChange={(kind) => onChange({ kind })} />
      <Rule when={when} onChange={onChange} wrong={wrong} />
      <div className="form-two">
        <Labelled label={t('schedules.holidays')} hint={t('schedules.holidays_hint')}>
          <Segments<When['holidays']> label={t('schedules.holidays')} options={(['run', 'skip', 'only'] as const).map((value) => ({ value, label: t(`schedules.holidays.${value}`) }))} value={when.holidays} onChange={(holidays) => onChange({ holidays })} />
        </Labelled>
        {when.kind !== 'opening' && (
          <Labelled label={t('schedules.closed')} hint={t('schedules.closed_hint')}>
            <Segments<When['closed']> label={t('schedules.closed')} options={(['run', 'skip'] as const).map((value) => ({ value, label: t(`schedules.closed.${value}`) }))} value={when.closed} onChange={(closed) => onChange({ closed })} />
          </Labelled>
        )}
      </div>
      <div className="form-two">
        <Range when={when} onChange={onChange} wrong={wrong} />
        {when.kind !== 'opening' && <Select label={t('schedules.zone')} searchable allowDeselect={false} limit={60} data={zones} value={when.zone} error={wrong('when.zone')} onChange={(zone) => onChange({ zone: zone ?? SEOUL })} />}
      </div>
      <Exceptions value={when.except} onChange={(except) => onChange({ except })} />
    </fieldset>
  )
}
