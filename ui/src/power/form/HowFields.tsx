import { Checkbox, NumberInput, Select, TextInput } from '@mantine/core'
import { useState } from 'react'

import type { JobOptions, JobVerb, VmType } from '@/api/types'
import { t } from '@/i18n'

import { isPaced, isSnapshot, LIMITS, mayBeReady, SNAPSHOT_NAME, STORAGE_NAME, takesTime, TYPES, type How } from '../order'

import { Labelled } from './Toggles'

import './form.css'

interface Props {
  how: How
  onChange: (how: How) => void
}

const whole = (value: number | string): number | null => (value === '' || Number.isNaN(Number(value)) ? null : Number(value))

const UNDER = ['label', 'input', 'description', 'error'] as ('label' | 'input' | 'description' | 'error')[]
interface WholeProps {
  label: string
  unit: string
  value: number | null | undefined
  bounds: readonly [least: number, most: number]
  hint?: string
  /** What holds while nothing is said. */
  usual?: string
  onChange: (value: number | null) => void
}
function Whole({ label, unit, value, bounds: [min, max], hint, usual, onChange }: WholeProps) {
  return <NumberInput label={label} description={hint} placeholder={usual ?? t('order.none_said')} inputWrapperOrder={UNDER} min={min} max={max} clampBehavior="blur" allowDecimal={false} allowNegative={false} hideControls suffix={` ${unit}`} value={value ?? ''} onChange={(next) => onChange(whole(next))} />
}

/** Kinds of VMs in their turn: each press adds one at the end, or takes it out. */
function OrderField({ value, onChange }: { value: readonly VmType[]; onChange: (value: VmType[]) => void }) {
  const toggle = (one: VmType) => onChange(value.includes(one) ? value.filter((each) => each !== one) : [...value, one])
  return (
    <div className="toggles" role="group" aria-label={t('order.turns')}>
      {TYPES.map((one) => {
        const at = value.indexOf(one)
        return <button key={one} type="button" className={at >= 0 ? 'chip on' : 'chip'} aria-pressed={at >= 0} onClick={() => toggle(one)}>{at >= 0 && <b>{at + 1}</b>}{t(`vm.type.${one}`)}</button>
      })}
    </div>
  )
}

function SnapshotFields({ how, onChange }: Props) {
  const snapshot = how.options.snapshot ?? { name: '' }
  const set = (change: Partial<typeof snapshot>) => onChange({ ...how, options: { ...how.options, snapshot: { ...snapshot, ...change } } })
  const wrong = snapshot.name !== '' && !SNAPSHOT_NAME.test(snapshot.name)
  return (
    <>
      <div className="form-two">
        <TextInput label={t('order.snapshot_name')} required placeholder="before-update" value={snapshot.name} error={wrong ? t('order.snapshot_rule') : undefined} onChange={(event) => set({ name: event.currentTarget.value })} />
        {how.verb === 'snapshot' && <TextInput label={t('vms.description')} maxLength={255} value={snapshot.description ?? ''} onChange={(event) => set({ description: event.currentTarget.value })} />}
      </div>
      {how.verb === 'snapshot' && <Checkbox label={t('order.snapshot_memory')} description={t('order.snapshot_memory_hint')} checked={snapshot.memory ?? false} onChange={(event) => set({ memory: event.currentTarget.checked })} />}
      {how.verb === 'rollback' && <Checkbox label={t('order.rollback_start')} checked={snapshot.start ?? false} onChange={(event) => set({ start: event.currentTarget.checked })} />}
    </>
  )
}

function BackupFields({ how, onChange }: Props) {
  const backup = how.options.backup ?? {}
  const set = (change: Partial<typeof backup>) => onChange({ ...how, options: { ...how.options, backup: { ...backup, ...change } } })
  return (
    <>
      <div className="form-two">
        <Select label={t('order.backup_mode')} allowDeselect={false} data={(['snapshot', 'suspend', 'stop'] as const).map((value) => ({ value, label: t(`order.backup_mode.${value}`) }))} value={backup.mode ?? 'snapshot'} onChange={(mode) => set({ mode: (mode ?? 'snapshot') as 'snapshot' })} />
        <Select label={t('order.compress')} allowDeselect={false} data={(['zstd', 'lzo', 'gzip', '0'] as const).map((value) => ({ value, label: t(`order.compress.${value}`) }))} value={backup.compress ?? 'zstd'} onChange={(compress) => set({ compress: (compress ?? 'zstd') as 'zstd' })} />
      </div>
      <div className="form-two">
        <TextInput label={t('order.storage')} placeholder={t('order.storage_default')} value={backup.storage ?? ''} error={backup.storage && !STORAGE_NAME.test(backup.storage) ? t('order.storage_rule') : undefined} onChange={(event) => set({ storage: event.currentTarget.value.trim() || null })} />
        <TextInput label={t('order.notes')} maxLength={255} value={backup.notes ?? ''} onChange={(event) => set({ notes: event.currentTarget.value })} />
      </div>
    </>
  )
}

/** What is to be done, with what the verb itself wants to know. */
export function VerbFields({ how, onChange, verbs }: Props & { verbs: readonly JobVerb[] }) {
  return (
    <fieldset className="order-part">
      <legend>{t('order.what')}</legend>
      <div className="form-two">
        <Select label={t('order.verb')} allowDeselect={false} data={verbs.map((value) => ({ value, label: t(`verb.${value}`) }))} value={how.verb} onChange={(verb) => onChange({ ...how, verb: (verb ?? how.verb) as JobVerb })} />
        {takesTime(how.verb) && <Whole label={t('order.timeout')} usual={t('order.host_default')} unit={t('unit.s')} bounds={LIMITS.timeout_s} value={how.timeout_s} onChange={(timeout_s) => onChange({ ...how, timeout_s })} />}
        {mayBeReady(how.verb) && !takesTime(how.verb) && <ReadyField how={how} onChange={onChange} />}
      </div>
      {how.verb === 'reboot' && <ReadyField how={how} onChange={onChange} />}
      {how.verb === 'shutdown' && <Checkbox label={t('order.force')} description={t('order.force_hint')} checked={how.force} onChange={(event) => onChange({ ...how, force: event.currentTarget.checked })} />}
      {how.verb === 'onboot' && <p className="t2">{t('power.cost.onboot')}</p>}
      {isSnapshot(how.verb) && <SnapshotFields how={how} onChange={onChange} />}
      {how.verb === 'backup' && <BackupFields how={how} onChange={onChange} />}
    </fieldset>
  )
}

function ReadyField({ how, onChange }: Props) {
  return <Whole label={t('order.ready')} hint={t('order.ready_hint')} unit={t('unit.s')} bounds={LIMITS.ready_s} value={how.options.ready_s} onChange={(ready_s) => onChange({ ...how, options: { ...how.options, ready_s } })} />
}

/** Waves, order, limits and the deadline: folded away until somebody wants one of them. */
export function PaceFields({ how, onChange }: Props) {
  const { options } = how
  const set = (change: Partial<JobOptions>) => onChange({ ...how, options: { ...options, ...change } })
  // What was said from the start is seen; later the person folds as they like.
  const [open] = useState(() => isPaced(how))
  const minutes = (seconds: number | null | undefined) => (seconds ? Math.round(seconds / 60) : null)
  return (
    <details className="order-part order-pace" open={open}>
      <summary>{t('order.pace')} <span className="small t3">{t('order.pace_hint')}</span></summary>
      <div className="form-two">
        <Whole label={t('order.canary')} hint={t('order.canary_hint')} unit={t('unit.machine')} bounds={LIMITS.canary} value={options.canary || null} onChange={(canary) => set({ canary: canary ?? 0 })} />
        <Whole label={t('order.stop_above')} hint={t(options.canary ? 'order.stop_above_canary' : 'order.stop_above_hint')} unit="%" bounds={LIMITS.stop_above_percent} value={options.stop_above_percent} onChange={(stop_above_percent) => set({ stop_above_percent })} />
      </div>
      <Labelled label={t('order.turns')} hint={t('order.turns_hint')}><OrderField value={options.order ?? []} onChange={(order) => set({ order })} /></Labelled>
      <div className="form-two">
        {(options.order?.length ?? 0) > 0 && <Whole label={t('order.pause')} unit={t('unit.s')} bounds={LIMITS.order_pause_s} value={options.order_pause_s || null} onChange={(order_pause_s) => set({ order_pause_s: order_pause_s ?? 0 })} />}
        <Whole label={t('order.deadline')} hint={t('order.deadline_hint')} unit={t('unit.m')} bounds={[1, LIMITS.deadline_s[1] / 60]} value={minutes(options.deadline_s)} onChange={(m) => set({ deadline_s: m ? m * 60 : null })} />
        <Whole label={t('order.per_host')} usual={t('order.as_set')} unit={t('unit.machine')} bounds={LIMITS.per_host} value={options.per_host} onChange={(per_host) => set({ per_host })} />
        <Whole label={t('order.overall')} usual={t('order.as_set')} unit={t('unit.machine')} bounds={LIMITS.overall} value={options.overall} onChange={(overall) => set({ overall })} />
      </div>
    </details>
  )
}
