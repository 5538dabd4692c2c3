/** Sentences about pharmacies, hosts and events, made from codes when somebody reads them. */
import type { Host, JournalEvent, Pharmacy } from '@/api/types'
import { explain, t, tMaybe } from '@/i18n'
import { ago, since } from '@/i18n/format'

import type { SignName } from './Icon'
import { reasonWords } from './State'

const text = (value: unknown): string => (value === null || value === undefined ? '' : String(value))

/** What a reason means and what to do: from the shared catalogue where it knows it, else from the UI's own words. */
export function adviceFor(reason: string): { why: string; remedy: string; aloud: string } {
  const shared = explain(`host.${reason}`) ?? explain(`pve.${reason}`)
  return {
    why: tMaybe(`advice.${reason}.why`) ?? shared?.why ?? '',
    remedy: tMaybe(`advice.${reason}.remedy`) ?? shared?.remedy ?? '',
    aloud: tMaybe(`advice.${reason}.aloud`) ?? '',
  }
}

/** The one sentence about a pharmacy: what is wrong now, since when. */
export function verdictSentence(pharmacy: Pharmacy, hosts: readonly Host[], nowMs: number): string {
  const { code = '', params = {} } = pharmacy.verdict ?? {}
  if (code === 'verdict.host_offline' || pharmacy.state === 'offline') {
    const host = hosts.find((one) => one.status === 'offline')
    const reason = text(params.reason) || host?.reason || 'unreachable'
    const began = text(params.since) || host?.since || null
    const sentence = tMaybe(`verdict.offline.${reason}`, { since: since(began, nowMs), ago: began ? ago(began, nowMs) : '' })
    if (sentence) return sentence.trim()
  }
  if (code) {
    const words = { ...params, status: tMaybe(`vm.status.${text(params.status)}`) ?? text(params.status), reason: reasonWords(text(params.reason)) }
    const own = tMaybe(code, words)
    if (own) return own
    const shared = explain(code, words)
    if (shared) return shared.title
  }
  return t(`verdict.state.${pharmacy.state}`)
}

/** The few words of a problem row: the worst host's reason, or what the verdict says. */
export function problemWords(pharmacy: Pharmacy, hosts: readonly Host[]): { words: string; since: string | null } {
  const host = hosts.find((one) => one.status === 'offline')
  if (pharmacy.state === 'offline') return { words: reasonWords(host?.reason ?? text(pharmacy.verdict?.params.reason)) || t('host.status.offline'), since: host?.since ?? null }
  const { code = '', params = {} } = pharmacy.verdict ?? {}
  const words = { ...params, status: tMaybe(`vm.status.${text(params.status)}`) ?? text(params.status) }
  return { words: tMaybe(`short.${code}`, words) ?? tMaybe(code, words) ?? explain(code, words)?.title ?? t(`pharmacy.state.${pharmacy.state}`), since: text(params.since) || null }
}

/** A row of the journal as a sign and a sentence; `here`: on the pharmacy's own page, which need not be named. */
export function eventWords(event: JournalEvent, here = false): { sign: SignName; tone: string; sentence: string; note: string } {
  const { kind, phase, params, outcome } = event
  const isVerb = /^(power|guest)\./.test(kind)
  const guest = event.vm_name ?? (/^(vm|power|guest|console)\./.test(kind) ? text(params.vm_name ?? params.name) : '')
  const pharmacy = event.pharmacy_name ?? (kind.startsWith('pharmacy.') ? text(params.name) : '')
  const place = [here ? '' : pharmacy, guest].filter(Boolean).join(' ')
  const words: Record<string, unknown> = {
    ...params,
    actor: event.actor.name,
    place: place || (here ? '' : text(params.host_ip ?? params.address) || '–'),
    from: tMaybe(`vm.status.${text(params.from)}`) ?? text(params.from),
    to: tMaybe(`vm.status.${text(params.to)}`) ?? text(params.to),
    reason: reasonWords(text(params.reason)),
    privilege: tMaybe(`privilege.${text(params.privilege)}`) ?? text(params.privilege),
    verb: isVerb ? (tMaybe(`verb.${kind.slice(6)}`) ?? kind.slice(6)) : (tMaybe(`verb.${text(params.verb)}`) ?? ''),
  }
  if (isVerb) {
    const good = outcome === 'succeeded' || outcome === 'ok'
    const which = phase === 'request' ? 'request' : good ? 'ok' : outcome === 'skipped' ? 'skipped' : outcome === 'unknown' ? 'unknown' : 'failed'
    const sign: SignName = which === 'ok' ? 'ok' : which === 'failed' ? 'cross' : which === 'unknown' ? 'unknown' : 'turning'
    return { sign, tone: which === 'ok' ? 'run' : which === 'failed' ? 'off' : 'stop', sentence: t(`event.power.${which}`, words).trim(), note: event.actor.kind === 'system' ? '' : (event.actor.name ?? '') }
  }
  if (kind === 'vm.status') {
    const to = text(params.to)
    const sign = to === 'running' || to === 'stopped' || to === 'suspended' ? to : 'unknown'
    return { sign, tone: to === 'running' ? 'run' : 'stop', sentence: t('event.vm.status', words).replace(/^[\s:]+/, '').trim(), note: '' }
  }
  if (phase !== 'event' && /^(credential|export)\./.test(kind)) {
    const good = outcome === 'ok'
    const which = phase === 'request' ? 'request' : good ? 'ok' : 'failed'
    const what = tMaybe(`event.${kind}`, words) ?? kind
    return { sign: which === 'request' ? 'turning' : good ? 'ok' : 'cross', tone: which === 'request' ? 'stop' : good ? 'run' : 'off', sentence: t(`event.phase.${which}`, { what }), note: event.actor.name ?? '' }
  }
  const many = params.count !== undefined ? tMaybe(`event.${kind}.many`, words) : undefined
  const sentence = (many ?? tMaybe(`event.${kind}`, words) ?? `${words.place as string} ${kind}`).replace(/^[\s:]+/, '').trim()
  const bad = /offline|refused|missing|certificate_changed|failed/.test(kind)
  // Worth a look, but nobody is cut off by it.
  const odd = (bad && kind.startsWith('vm.')) || /missed|skipped|replaced/.test(kind)
  const good = /online|returned|opened|added|finished|pinned/.test(kind)
  return {
    sign: odd ? 'warning' : bad ? 'cross' : 'ok',
    tone: odd ? 'warn' : bad ? 'off' : good ? 'run' : 'stop',
    sentence,
    note: event.actor.kind === 'system' ? (words.reason as string) : (event.actor.name ?? ''),
  }
}
