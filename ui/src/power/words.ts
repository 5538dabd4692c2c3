import { ApiError } from '@/api/client'
import type { DryRun, JobItem, JobOptions, JobVerb, PlannedItem, Verb } from '@/api/types'
import { t, tMaybe } from '@/i18n'
import { count, span } from '@/i18n/format'
import { threeParts } from '@/parts/Failure'
import { reasonWords } from '@/parts/State'

const CARE: ReadonlySet<JobVerb> = new Set(['snapshot', 'rollback', 'snapshot_delete', 'backup', 'onboot'])
export const isPower = (verb: JobVerb): verb is Verb => !CARE.has(verb)
/** A job's verb as a person says it: `stop` without force is a clean shutdown. */
export const verbWords = (verb: JobVerb, force: boolean): string => t(verb === 'stop' && !force ? 'verb.shutdown' : `verb.${verb}`)

/** Why an item ended as it did, for `Failure`; a host's reason code inside it becomes words. */
export function itemError({ reason, reason_params }: Pick<JobItem, 'reason' | 'reason_params'>): ApiError | undefined {
  if (!reason) return undefined
  const params = { ...reason_params }
  if (typeof params.reason === 'string') params.reason = reasonWords(params.reason)
  return new ApiError(0, reason, params)
}

/** Why some are left out, the most frequent first. */
export function skips(items: DryRun['items']): [words: string, n: number][] {
  const counts = new Map<string, number>()
  for (const item of items) {
    if (item.plan === 'do') continue
    const error = itemError(item)
    const words = error ? threeParts(error).title : '–'
    counts.set(words, (counts.get(words) ?? 0) + 1)
  }
  return [...counts].toSorted((a, b) => b[1] - a[1])
}

const nameOf = (item: PlannedItem): string => `${item.pharmacy_name} ${item.vm_name}`

/** "12대를 종료할까요?", "강남온누리약국 POS-1을 종료할까요?" */
export function question(verb: JobVerb, doing: DryRun['items']): string {
  const n = doing.length
  const params = { n: count(n), name: doing[0] ? nameOf(doing[0]) : '', verb: t(`verb.${verb}`) }
  if (n === 0) return isPower(verb) ? t('power.nothing', params) : t('power.nothing_care')
  return n === 1 ? (tMaybe(`power.ask.${verb}`, params) ?? t('power.ask', params)) : (tMaybe(`power.ask_many.${verb}`, params) ?? t('power.ask_many', params))
}
/** "강남온누리약국 POS-1 외 11대" */
export const firstAnd = (doing: DryRun['items']): string => (doing[0] ? t('power.first_and', { name: nameOf(doing[0]), n: doing.length - 1 }) : '')
export const openWords = (n: number, open: number): string => (n === 1 ? t('power.open_one') : t('power.open_many', { n: open }))
export const buttonWords = (verb: JobVerb, n: number): string => (n === 1 ? t(`verb.${verb}`) : t('power.button_many', { n: count(n), verb: t(`verb.${verb}`) }))

/** How a job goes about it, in a few words each: what was not asked for is not said. */
export function howWords(verb: JobVerb, force: boolean, timeout: number | null, options: JobOptions): string[] {
  const { snapshot, backup, canary, stop_above_percent: stop, order, order_pause_s: pause, deadline_s: deadline, ready_s: ready, per_host: perHost, overall } = options
  const out: (string | undefined)[] = [
    snapshot?.name ? t('how.snapshot', { name: snapshot.name }) : undefined,
    backup ? [t(`order.backup_mode.${backup.mode ?? 'snapshot'}`), backup.storage].filter(Boolean).join(' · ') : undefined,
    timeout ? t('how.timeout', { span: span(timeout) }) : undefined,
    verb === 'shutdown' && force ? t('how.force') : undefined,
    ready ? t('how.ready', { span: span(ready) }) : undefined,
    canary ? t('how.canary', { n: canary }) : undefined,
    typeof stop === 'number' ? t('how.stop_above', { n: stop }) : undefined,
    order?.length ? t('how.turns', { turns: order.map((kind) => t(`vm.type.${kind}`)).join(' → ') }) : undefined,
    pause ? t('how.pause', { span: span(pause) }) : undefined,
    deadline ? t('how.deadline', { span: span(deadline) }) : undefined,
    perHost ? t('how.per_host', { n: perHost }) : undefined,
    overall ? t('how.overall', { n: overall }) : undefined,
  ]
  return out.filter((one): one is string => !!one)
}
