import { Checkbox, Select, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Credential, EnrolmentResult, EnrolmentRow, FieldErrors, List } from '@/api/types'
import { explain, t, type MessageKey } from '@/i18n'
import { day } from '@/i18n/format'
import { Failure } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { State } from '@/parts/State'

import './hosts.css'

const HEAD = 'code,name,representative,phone,address,region,chain,hours,closing_days,note,host_ip,host_port,node'
const EXAMPLE = `${HEAD}\nP-101,과천새봄약국,이OO,02-000-0110,경기 과천시 중앙로 1,경기,,월-금 09:00-19:00; 토 09:00-13:00,,공유기: 카운터 아래,100.64.0.110,8006,pve`

/** A file's bytes as they are: the server tells UTF-8 from the CP949 of Korean Excel. */
async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

/** What people call the columns; their own names stand beside it, as in the file. */
const COLUMN: Partial<Record<string, MessageKey>> = {
  code: 'pharmacy.code', name: 'pharmacy.name', representative: 'pharmacy.representative', phone: 'pharmacy.phone', address: 'pharmacy.address', hours: 'pharmacy.hours',
  closing_days: 'pharmacy.closing_days', note: 'pharmacy.note', host_ip: 'host.ip', host_port: 'host.port', node: 'host.node', fingerprint: 'cert.fingerprint',
}

function Faults({ errors }: { errors: FieldErrors }) {
  const all = Object.entries(errors ?? {}).flatMap(([field, list]) => list.map((one) => ({ field, ...one })))
  if (all.length === 0) return null
  return (
    <ul className="small off">
      {all.map((one) => {
        const message = explain(one.code, one.params ?? {})
        return <li key={one.field + one.code}>{COLUMN[one.field] ? `${t(COLUMN[one.field]!)} (${one.field})` : one.field}: {message ? [message.title, message.why, message.remedy].filter(Boolean).join(' ') : one.code}</li>
      })}
    </ul>
  )
}

const RESULT = { ok: ['ok', 'run'], exists: ['stopped', 'stop'], error: ['cross', 'off'] } as const

function ReviewTable({ rows, results }: { rows: readonly EnrolmentRow[]; results: ReadonlyMap<number, EnrolmentResult> }) {
  return (
    <div className="panel enrol-table">
      <table className="grid" aria-label={t('enrol.title')}>
        <thead><tr><th>{t('enrol.line')}</th><th>{t('pharmacy.name')}</th><th>{t('host.address')}</th><th>{t('enrol.result')}</th><th>{t('cert.fingerprint')}</th><th>{t('enrol.until')}</th></tr></thead>
        <tbody>
          {rows.map((row) => {
            const result = results.get(row.line)
            const state = result?.result ?? row.result
            const [sign, tone] = RESULT[state]
            return (
              <tr key={row.line}>
                <td className="t2 nowrap">{row.line}</td>
                <td className="nowrap"><span className="strong">{row.pharmacy.name}</span> <span className="t3">{row.pharmacy.code}</span></td>
                <td className="nowrap">{row.host_ip}{row.host_port ? `:${row.host_port}` : ''}</td>
                <td><State sign={sign} tone={tone}>{result ? t(`enrol.done.${state}`) : t(`enrol.check.${state}`)}</State><Faults errors={result?.errors ?? row.errors} /></td>
                <td>{row.fingerprint ? <span className="mono">{row.fingerprint}</span> : '–'}</td>
                <td className="nowrap">{row.not_after ? day(row.not_after) : '–'}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Many hosts at once: a list, a dry run that shows every fingerprint on one page, one confirmation, one credential set. */
export function EnrolPage() {
  const [text, setText] = useState('')
  const [rows, setRows] = useState<EnrolmentRow[] | null>(null)
  const [results, setResults] = useState<ReadonlyMap<number, EnrolmentResult>>(new Map())
  const [sure, setSure] = useState(false)
  const [credential, setCredential] = useState<string | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const sets = useQuery({ queryKey: ['credentials'], queryFn: () => api.get<List<Credential>>('/api/credentials', { query: { limit: 1000 } }) })
  const chosen = credential ?? (sets.data?.items.length === 1 ? String(sets.data.items[0]!.id) : null)
  const good = (rows ?? []).filter((row) => row.result === 'ok' && row.fingerprint)
  const doing = async (act: () => Promise<void>) => {
    setBusy(true)
    setError(undefined)
    try {
      await act()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const check = (body: { csv: string } | { csv_base64: string }) =>
    doing(async () => {
      // Sixteen hosts are looked at at once, each for at most 15 s: long lists take their time.
      const list = await api.post<List<EnrolmentRow>>('/api/enrolments/check', body, { timeout: 600_000 })
      setRows(list.items)
      setResults(new Map())
      setSure(false)
    })
  const enrol = () =>
    doing(async () => {
      const body = good.map((row) => ({ line: row.line, ...row.pharmacy, host_ip: row.host_ip, host_port: row.host_port, node: row.node, fingerprint: row.fingerprint }))
      const list = await api.post<List<EnrolmentResult>>('/api/enrolments', { rows: body, credential_id: Number(chosen) }, { timeout: 600_000 })
      setResults(new Map(list.items.map((one) => [one.line, one])))
    })
  const done = results.size > 0
  const counts = { ok: good.length, exists: (rows ?? []).filter((row) => row.result === 'exists').length, error: (rows ?? []).filter((row) => row.result === 'error').length }
  return (
    <main className="page">
      <div className="page-head"><h1>{t('enrol.title')}</h1><span className="t2">{t('enrol.intro')}</span></div>
      {!rows && (
        <form className="enrol-drop" onSubmit={(event) => {
          event.preventDefault()
          void check({ csv: text })
        }}>
          <label className="btn"><Icon name="upload" />{t('enrol.file')}
            <input className="sr" type="file" accept=".csv,text/csv" onChange={(event) => {
              const file = event.currentTarget.files?.[0]
              event.currentTarget.value = ''
              if (file) void doing(async () => check({ csv_base64: await base64(file) }))
            }} />
          </label>
          <Textarea w="100%" label={t('enrol.paste')} placeholder={EXAMPLE} autosize minRows={8} maxRows={20} classNames={{ input: 'mono' }} value={text} onChange={(event) => setText(event.currentTarget.value)} />
          <p className="small t2">{t('enrol.columns')} <span className="mono">{HEAD}</span></p>
          <button type="submit" className="btn main" disabled={busy || !text.trim()}>{busy ? t('enrol.checking') : t('enrol.check')}</button>
        </form>
      )}
      <Failure error={error} />
      {rows && (
        <>
          <p role="status" className="strong">{done ? t('enrol.finished', { n: [...results.values()].filter((one) => one.result === 'ok').length }) : t('enrol.counts', counts)}</p>
          <ReviewTable rows={rows} results={results} />
          {!done && good.length > 0 && (
            <div className="panel panel-body form">
              <Select label={t('credential.set')} description={t('credential.set_hint')} required w={480} maw="100%" allowDeselect={false} data={(sets.data?.items ?? []).map((one) => ({ value: String(one.id), label: `${one.name} · ${one.username}` }))} value={chosen} onChange={setCredential} nothingFoundMessage={t('enrol.no_sets')} />
              {sets.data?.total === 0 && <p className="warn">{t('enrol.no_sets')} <Link to="/settings">{t('nav.settings')}</Link></p>}
              <Checkbox checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} label={t('enrol.sure', { n: good.length })} description={t('add.sure_hint')} />
            </div>
          )}
          <div className="form-foot">
            <button type="button" className="btn" onClick={() => setRows(null)}>{t('act.back')}</button>
            {!done && <button type="button" className="btn main" disabled={busy || !sure || !chosen || good.length === 0} onClick={() => void enrol()}>{t('enrol.go', { n: good.length })}</button>}
            {done && <Link className="btn main" to="/hosts">{t('hosts.title')}</Link>}
          </div>
        </>
      )}
    </main>
  )
}
