/** Sentences about what people did: one act, its request and how it ended. */
import type { AuditRow, CheckReport } from '@/api/audit-types'
import type { JournalEvent } from '@/api/types'
import { explain, t, tMaybe } from '@/i18n'
import { bytes, span } from '@/i18n/format'
import type { SignName } from '@/parts/Icon'
import { eventWords } from '@/parts/words'

const GOOD = new Set(['ok', 'succeeded'])
const text = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')

/** What the act was, whatever became of it. */
export function actSentence(row: AuditRow): string {
  const family = /^(power|guest)\.(.+)$/.exec(row.kind)
  if (!family) return eventWords({ ...row, phase: 'event' } as unknown as JournalEvent).sentence
  const verb = tMaybe(`verb.${family[2]}`) ?? family[2]
  const total = Number(row.params.total)
  const vm = row.vm_name ?? text(row.params.vm_name)
  const place = vm ? [row.pharmacy_name, vm].filter(Boolean).join(' ') : Number.isFinite(total) && total > 0 ? t('audit.vms', { n: total }) : (row.pharmacy_name ?? '')
  return t('audit.verb', { place, verb }).trim()
}

export function doer(row: AuditRow): string {
  if (row.actor.kind === 'system') return t('events.system')
  return row.actor.name ?? (row.actor.id !== null ? t('history.erased', { n: row.actor.id }) : '–')
}

/** One outcome code in words: "성공", "건너뜀", or what the catalogue says of it. */
export function outcomeWord(code: string): string {
  if (GOOD.has(code)) return t('audit.outcome.ok')
  return tMaybe(`audit.outcome.${code}`) ?? explain(code)?.title.replace(/\.$/, '') ?? t('audit.outcome.failed')
}

export type Tone = 'run' | 'off' | 'warn' | 'stop'

export function ending(row: AuditRow): { sign: SignName; tone: Tone; words: string } {
  const parts = Object.entries(row.outcomes)
  if (/\.refused$/.test(row.kind)) return { sign: 'cross', tone: 'off', words: t('audit.outcome.refused') }
  if (parts.length === 0) return row.phase === 'request' ? { sign: 'turning', tone: 'stop', words: t('audit.outcome.open') } : { sign: 'ok', tone: 'run', words: t('audit.outcome.done') }
  const ended = parts.reduce((sum, [, n]) => sum + n, 0) + (Number(row.params.skipped) || 0)
  const total = Number(row.params.total)
  if (total > ended) return { sign: 'turning', tone: 'stop', words: t('audit.outcome.partly', { n: ended, total }) }
  const bad = parts.filter(([code]) => !GOOD.has(code) && code !== 'skipped')
  const single = parts.length === 1 && parts[0]![1] === 1
  const words = single ? outcomeWord(parts[0]![0]) : parts.map(([code, n]) => t('audit.outcome.count', { word: outcomeWord(code), n })).join(' · ')
  if (bad.length === 0) return { sign: 'ok', tone: 'run', words }
  return bad.some(([code]) => code !== 'unknown') ? { sign: 'cross', tone: 'off', words } : { sign: 'unknown', tone: 'warn', words }
}

/** How long the act took; empty for what has no length. */
export function took(row: AuditRow): string {
  if (row.duration_ms === null || row.phase !== 'request') return ''
  return row.duration_ms < 1000 ? t('audit.moment') : span(row.duration_ms / 1000)
}

const HIDDEN = new Set(['reason_params', 'vm_name', 'vmid', 'item_id', 'purpose'])

function valueWords(name: string, value: unknown): string {
  if (typeof value === 'boolean') return t(value ? 'audit.yes' : 'audit.no')
  if (typeof value === 'object') return JSON.stringify(value)
  const plain = String(value)
  if (name === 'seconds') return span(Number(value))
  if (name === 'bytes_up' || name === 'bytes_down') return bytes(Number(value))
  return tMaybe(`value.${name}.${plain}`) ?? (plain.includes('.') ? explain(plain)?.title : undefined) ?? plain
}

/** Parameters as pairs, without what stands elsewhere in the row. */
export function details(row: AuditRow): [string, string][] {
  return Object.entries(row.params)
    .filter(([name, value]) => !(name === 'reason' && row.reason) && !HIDDEN.has(name) && value !== null && value !== '' && value !== false && value !== 0 && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => [tMaybe(`param.${name}`) ?? name, valueWords(name, value)])
}

/** What is worth writing down elsewhere: place, hash and when, on one line. */
export const headLine = (seq: number, hash: string, at: string): string => `PharmQ ${seq} ${hash} ${at}`
export const reportLine = (report: CheckReport): string => headLine(report.head_seq, report.head_hash, report.finished_at)

const DANGEROUS = /^[=+\-@\t\r\n]/
/** Cells as Korean Excel opens them: UTF-8 with its mark, no cell a formula. */
export function csv(rows: readonly (readonly unknown[])[]): Blob {
  const cell = (value: unknown): string => {
    const plain = value === null || value === undefined ? '' : String(value)
    const safe = DANGEROUS.test(plain) ? `'${plain}` : plain
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return new Blob(['\uFEFF', rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')], { type: 'text/csv;charset=utf-8' })
}
