/** States as icon + word + colour; `stale` keeps icon and word and takes the colour away. */
import type { HostStatus, OpeningState, Pharmacy, PharmacyState, VmStatus } from '@/api/types'
import { t, tMaybe } from '@/i18n'

import { Sign, type SignName } from './Icon'

type Tone = 'run' | 'off' | 'warn' | 'mnt' | 'stop'

export function State({ sign, tone, children, stale = false }: { sign: SignName; tone: Tone; children: React.ReactNode; stale?: boolean }) {
  return (
    <span className={`state ${stale ? 'stale' : tone}`}>
      <Sign name={sign} />
      <span>{children}</span>
    </span>
  )
}

const VM: Record<VmStatus, [SignName, Tone]> = {
  running: ['running', 'run'],
  stopped: ['stopped', 'stop'],
  suspended: ['suspended', 'stop'],
  unknown: ['unknown', 'stop'],
}
export const vmSign = (status: VmStatus): SignName => VM[status][0]
export const vmTone = (status: VmStatus): Tone => VM[status][1]
export function VmState({ status, stale = false }: { status: VmStatus; stale?: boolean }) {
  const [sign, tone] = VM[status]
  return <State sign={sign} tone={tone} stale={stale}>{t(`vm.status.${status}`)}</State>
}

const HOST: Record<HostStatus, [SignName, Tone]> = { online: ['ok', 'run'], offline: ['cross', 'off'], maintenance: ['wrench', 'mnt'] }
export function HostState({ status }: { status: HostStatus }) {
  const [sign, tone] = HOST[status]
  return <State sign={sign} tone={tone}>{t(`host.status.${status}`)}</State>
}

const PHARMACY: Record<PharmacyState, [SignName, Tone]> = {
  ok: ['ok', 'run'],
  warning: ['warning', 'warn'],
  offline: ['cross', 'off'],
  maintenance: ['wrench', 'mnt'],
  empty: ['unknown', 'stop'],
}
export const pharmacySign = (state: PharmacyState): SignName => PHARMACY[state][0]
export const pharmacyTone = (state: PharmacyState): Tone => PHARMACY[state][1]
export function PharmacyStateMark({ state }: { state: PharmacyState }) {
  const [sign, tone] = PHARMACY[state]
  return <State sign={sign} tone={tone}>{t(`pharmacy.state.${state}`)}</State>
}

/** "영업 중 09:00–19:00", "영업 전 · 11:00부터". */
export function openingWords(opening: Pharmacy['opening']): string {
  const word = t(`opening.${opening.state satisfies OpeningState}`)
  if (opening.state === 'open' && opening.from && opening.to) return `${word} ${opening.from}–${opening.to}`
  if (opening.state === 'before' && opening.from) return `${word} · ${t('opening.from', { at: opening.from })}`
  return word
}

/** A host's reason code as the few words that fit a row. */
export const reasonWords = (code: string | null | undefined): string => (code ? (tMaybe(`reason.${code}`) ?? code) : '')
