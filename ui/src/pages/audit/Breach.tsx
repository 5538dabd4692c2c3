/** For a leak: which screens one person opened in a period, when, for how long, and what they took away. */
import { Textarea } from '@mantine/core'
import { useState } from 'react'

import { api } from '@/api/client'
import type { AuditRow, BreachPack } from '@/api/audit-types'
import { saveFile } from '@/consoles/screenshot'
import { t } from '@/i18n'
import { bytes, clockSeconds, count, day, span } from '@/i18n/format'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { Period } from '@/pages/events/HistoryParts'
import { endOf, startOf } from '@/pages/events/search'

import { PersonPicker } from './People'
import { actSentence, csv, ending } from './words'

const at = (iso: string) => `${day(iso)} ${clockSeconds(iso)}`

function screensCsv(pack: BreachPack): Blob {
  const head = [t('breach.pharmacy'), t('breach.vm'), t('breach.opened'), t('breach.closed'), t('breach.seconds'), t('breach.bytes'), t('audit.act_id')]
  return csv([head, ...pack.screens.map((one) => [one.pharmacy_name, one.vm_name, at(one.opened_at), one.closed_at && at(one.closed_at), one.duration_s, one.details.bytes_down, one.act_id])])
}

function Acts({ title, rows }: { title: string; rows: readonly AuditRow[] }) {
  return (
    <section className="panel">
      <header><h2>{title}</h2><span className="t2">{count(rows.length)}</span></header>
      {rows.length === 0 && <p className="empty">{t('breach.nothing')}</p>}
      {rows.map((row) => <div key={row.seq} className="line"><time dateTime={row.at} className="t2">{at(row.at)}</time><span className="grow">{actSentence(row)}{row.reason && <span className="t2 small block">{t('audit.reason', { reason: row.reason })}</span>}</span><span className="t2 small">{ending(row).words}</span></div>)}
    </section>
  )
}

function Pack({ pack }: { pack: BreachPack }) {
  const name = `pharmq-breach-${pack.user_id}-${pack.since.slice(0, 10)}`
  return (
    <>
      <section className="panel" aria-labelledby="pack-title">
        <header>
          <h2 id="pack-title">{t('breach.screens')}</h2><span className="t2">{count(pack.screens.length)}</span>
          <span className="end row-flex">
            <button type="button" className="btn in-row" onClick={() => saveFile(screensCsv(pack), `${name}.csv`)}><Icon name="external" />{t('breach.csv')}</button>
            <button type="button" className="btn in-row" onClick={() => saveFile(new Blob([JSON.stringify(pack, null, 2)], { type: 'application/json' }), `${name}.json`)}>{t('breach.json')}</button>
          </span>
        </header>
        <div className="panel-body t2">{t('breach.summary', { acts: pack.acts, pharmacies: pack.pharmacies.length, addresses: pack.addresses.join(', ') || '–' })}</div>
        {pack.screens.length === 0 && <p className="empty">{t('breach.nothing')}</p>}
        {pack.screens.length > 0 && (
          <div className="scroll-x">
            <table className="grid">
              <thead><tr><th>{t('breach.pharmacy')}</th><th>{t('breach.vm')}</th><th>{t('breach.opened')}</th><th>{t('breach.closed')}</th><th className="num">{t('breach.length')}</th><th className="num">{t('breach.bytes')}</th></tr></thead>
              <tbody>{pack.screens.map((one) => (
                <tr key={`${one.act_id}-${one.opened_at}`}><td>{one.pharmacy_name ?? '–'}</td><td>{one.vm_name ?? (one.vm_id === null ? '–' : `#${one.vm_id}`)}</td><td className="nowrap">{at(one.opened_at)}</td><td className="nowrap">{one.closed_at ? at(one.closed_at) : t('breach.still_open')}</td><td className="num">{span(one.duration_s)}</td><td className="num">{typeof one.details.bytes_down === 'number' ? bytes(one.details.bytes_down) : '–'}</td></tr>
              ))}</tbody>
            </table>
          </div>
        )}
      </section>
      <Acts title={t('breach.exports')} rows={pack.exports} />
      <Acts title={t('breach.screenshots')} rows={pack.screenshots} />
      <Acts title={t('breach.sign_ins')} rows={pack.sign_ins} />
    </>
  )
}

export function Breach() {
  const [person, setPerson] = useState<number | null>(null)
  const [period, setPeriod] = useState<{ from?: string; to?: string }>({})
  const [reason, setReason] = useState('')
  const [pack, setPack] = useState<BreachPack | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const make = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (person === null || !period.from || !period.to) return
    setBusy(true)
    setError(undefined)
    try {
      setPack(await api.post<BreachPack>('/api/audit/breach-pack', { user_id: person, since: startOf(period.from), until: endOf(period.to), reason }, { timeout: 300_000 }))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <section className="panel audit-form" aria-labelledby="breach-title">
        <header><h2 id="breach-title">{t('breach.title')}</h2></header>
        <form className="panel-body form" onSubmit={(event) => void make(event)}>
          <p className="t2">{t('breach.why')}</p>
          <PersonPicker value={person} onChange={setPerson} error={fieldError(error, 'user_id')} />
          <div><span className="field-label">{t('breach.period')}</span><Period from={period.from} to={period.to} onChange={(change) => setPeriod((before) => ({ ...before, ...change }))} /></div>
          <Textarea label={t('export.reason')} description={t('export.reason_why')} required autosize minRows={2} maxLength={500} value={reason} error={fieldError(error, 'reason')} onChange={(event) => setReason(event.currentTarget.value)} />
          <Failure error={error} />
          <div className="form-foot"><button type="submit" className="btn main" disabled={busy || person === null || !period.from || !period.to || reason.trim().length < 2}>{t('breach.make')}</button></div>
        </form>
      </section>
      {pack && <Pack pack={pack} />}
    </>
  )
}
