/** Erasing a former user's names and addresses; what was done stays, under a number. */
import { Textarea } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import { t } from '@/i18n'
import { Confirm } from '@/parts/Confirm'
import { notifyDone } from '@/parts/notify'

import { PersonPicker } from './People'

export function Erase() {
  const client = useQueryClient()
  const [person, setPerson] = useState<number | null>(null)
  const [reason, setReason] = useState('')
  const [asking, setAsking] = useState(false)
  return (
    <section className="panel audit-form" aria-labelledby="erase-title">
      <header><h2 id="erase-title">{t('erase.title')}</h2></header>
      <form className="panel-body form" onSubmit={(event) => {
        event.preventDefault()
        setAsking(true)
      }}>
        <p className="t2">{t('erase.why')}</p>
        <PersonPicker value={person} onChange={setPerson} only={(user) => user.disabled} />
        <Textarea label={t('export.reason')} description={t('erase.reason_why')} required autosize minRows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <div className="form-foot"><button type="submit" className="btn main" disabled={person === null || reason.trim().length < 2}>{t('erase.act')}</button></div>
      </form>
      {asking && person !== null && <Confirm title={t('erase.ask', { n: person })} detail={t('erase.cost')} button={t('erase.act')} typed={String(person)} onClose={() => setAsking(false)} act={async () => {
        const { rows } = await api.post<{ rows: number }>('/api/audit/erase', { user_id: person, reason })
        await client.invalidateQueries({ queryKey: ['audit'] })
        notifyDone(t('erase.done', { n: rows }))
        setPerson(null)
        setReason('')
      }} />}
    </section>
  )
}
