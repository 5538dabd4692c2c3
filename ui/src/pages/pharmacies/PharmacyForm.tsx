import { Checkbox, Modal, MultiSelect, Textarea, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Group, List, Pharmacy, PharmacyInput } from '@/api/types'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'

import { parseDates, parseHours, WEEKDAYS, writeHours, type HoursText } from './hours'

interface Draft {
  code: string
  name: string
  representative: string
  phone: string
  address: string
  note: string
  closing: string
  hours: HoursText
  groups: string[]
  screens: boolean
  reason: boolean
}

const draftOf = (one: Pharmacy | undefined): Draft => ({
  code: one?.code ?? '',
  name: one?.name ?? '',
  representative: one?.representative ?? '',
  phone: one?.phone ?? '',
  address: one?.address ?? '',
  note: one?.note ?? '',
  closing: (one?.closing_days ?? []).join('\n'),
  hours: writeHours(one?.hours ?? {}),
  groups: (one?.groups ?? []).map((group) => String(group.id)),
  screens: one?.screens_allowed ?? true,
  reason: one?.screen_reason ?? false,
})

/** Adds a pharmacy, or edits one. */
export function PharmacyForm({ pharmacy, onClose, onSaved }: { pharmacy?: Pharmacy; onClose: () => void; onSaved: (saved: Pharmacy) => void }) {
  const [draft, setDraft] = useState(() => draftOf(pharmacy))
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const groups = useQuery({ queryKey: ['groups'], queryFn: () => api.get<List<Group>>('/api/groups', { query: { limit: 1000 } }) })
  const { hours, wrong } = parseHours(draft.hours)
  const closing = parseDates(draft.closing)
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))
  const field = (name: 'code' | 'name' | 'representative' | 'phone' | 'address') => ({
    label: t(`pharmacy.${name}`),
    value: draft[name],
    error: fieldError(error, name),
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => set({ [name]: event.currentTarget.value }),
  })
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (wrong.length || closing.wrong.length) return
    const { code, name, representative, phone, address, note } = draft
    const body: PharmacyInput = { code, name, representative, phone, address, note, hours, closing_days: closing.dates, group_ids: draft.groups.map(Number), screens_allowed: draft.screens, screen_reason: draft.reason }
    setBusy(true)
    setError(undefined)
    try {
      onSaved(pharmacy ? await api.put<Pharmacy>(`/api/pharmacies/${pharmacy.id}`, body) : await api.post<Pharmacy>('/api/pharmacies', body))
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} size={640} title={pharmacy ? t('pharmacies.edit') : t('pharmacies.add')}>
      <form className="form" onSubmit={(event) => void save(event)}>
        <Failure error={error} />
        <div className="form-two"><TextInput {...field('name')} required data-autofocus /><TextInput {...field('code')} required placeholder="P-101" /></div>
        <div className="form-two"><TextInput {...field('phone')} inputMode="tel" /><TextInput {...field('representative')} /></div>
        <TextInput {...field('address')} />
        <MultiSelect label={t('pharmacy.groups')} data={(groups.data?.items ?? []).map((group) => ({ value: String(group.id), label: group.name }))} value={draft.groups} onChange={(value) => set({ groups: value })} searchable />
        <fieldset className="form-hours">
          <legend>{t('pharmacy.hours')} <span className="t3 small">{t('pharmacy.hours_hint')}</span></legend>
          {WEEKDAYS.map((day) => (
            <TextInput key={day} label={t(`weekday.${day}`)} value={draft.hours[day]} error={wrong.includes(day) ? t('pharmacy.hours_wrong') : undefined} onChange={(event) => set({ hours: { ...draft.hours, [day]: event.currentTarget.value } })} />
          ))}
        </fieldset>
        <Textarea label={t('pharmacy.closing_days')} description={t('pharmacy.closing_hint')} autosize minRows={1} value={draft.closing} error={closing.wrong.length ? t('pharmacy.closing_wrong', { words: closing.wrong.join(', ') }) : fieldError(error, 'closing_days')} onChange={(event) => set({ closing: event.currentTarget.value })} />
        <Checkbox label={t('pharmacy.screens_allowed')} description={t('pharmacy.screens_allowed_hint')} checked={draft.screens} onChange={(event) => set({ screens: event.currentTarget.checked })} />
        <Checkbox label={t('pharmacy.screen_reason')} description={t('pharmacy.screen_reason_hint')} disabled={!draft.screens} checked={draft.reason} onChange={(event) => set({ reason: event.currentTarget.checked })} />
        <Textarea label={t('pharmacy.note')} description={t('pharmacy.note_hint')} autosize minRows={3} value={draft.note} error={fieldError(error, 'note')} onChange={(event) => set({ note: event.currentTarget.value })} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || wrong.length > 0 || closing.wrong.length > 0}>{t('act.save')}</button></div>
      </form>
    </Modal>
  )
}
