import { Switch, Textarea, TextInput } from '@mantine/core'
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useBlocker, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useRef, useState } from 'react'

import { api } from '@/api/client'
import type { Schedule, SchedulePreview } from '@/api/schedule-types'
import { useMay } from '@/consoles/may'
import { t } from '@/i18n'
import { useReady } from '@/live/store'
import { Confirm } from '@/parts/Confirm'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon } from '@/parts/Icon'
import { notifyDone } from '@/parts/notify'
import { Parts } from '@/pages/jobs/Parts'
import { PaceFields, VerbFields } from '@/power/form/HowFields'
import { targetsOf } from '@/power/form/initial'
import { useSettled } from '@/power/form/settled'
import { TargetFields } from '@/power/form/TargetFields'

import { draftOf, formOf, lacks, newDraft, VERBS, type Draft } from './model'
import { Preview } from './Preview'
import { SafetyFields } from './SafetyFields'
import { WhenFields } from './WhenFields'

import '@/pages/jobs/jobs.css'
import './schedules.css'

/** Fields whose faults are shown beside them: the failure above need not repeat them. */
const BESIDE = ['name', 'note', 'when.zone', 'when.from', 'when.until', 'when.rule.expression'] as const

function usePreview(draft: Draft) {
  const settled = useSettled(draft, 400)
  const form = formOf(settled)
  const asked = { ...form, name: form.name || '-' }
  const lacking = (one: Draft) => lacks(one).filter((each) => each !== 'name')
  const missing = lacking(draft)
  const query = useQuery({
    queryKey: ['schedule-preview', asked],
    queryFn: ({ signal }) => api.post<SchedulePreview>('/api/schedules/preview', asked, { signal }),
    // What stands in the form now may be complete before what is asked is.
    enabled: missing.length === 0 && lacking(settled).length === 0,
    placeholderData: keepPreviousData,
    retry: false,
  })
  return { query, missing, zone: asked.when.zone }
}

function Form({ first, id }: { first: Draft; id: number | undefined }) {
  const [draft, setDraft] = useState(first)
  const [begun] = useState(first)
  const kept = useRef(false)
  const changed = JSON.stringify(draft) !== JSON.stringify(begun)
  const blocker = useBlocker({ shouldBlockFn: () => changed && !kept.current, enableBeforeUnload: () => changed && !kept.current, withResolver: true })
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const navigate = useNavigate()
  const client = useQueryClient()
  const may = useMay('schedule.edit')
  const { query, missing, zone } = usePreview(draft)
  const set = (change: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...change }))
    setError(undefined)
  }
  const fault = error ?? (missing.length === 0 ? query.error : undefined)
  const wrong = (field: string) => fieldError(fault, field)
  const beside = BESIDE.some((field) => wrong(field))
  const lacking = lacks(draft)
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    if (lacking.length > 0 || busy) return
    setBusy(true)
    setError(undefined)
    try {
      const body = formOf(draft)
      const saved = id === undefined ? await api.post<Schedule>('/api/schedules', body) : await api.put<Schedule>(`/api/schedules/${id}`, body)
      kept.current = true
      notifyDone(t('schedules.saved', { name: saved.name }))
      await client.invalidateQueries({ queryKey: ['schedules'] })
      void navigate({ to: '/schedules', search: { schedule: saved.id } })
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  return (
    <form className="order-page" aria-label={t(id === undefined ? 'schedules.add' : 'schedules.edit')} onSubmit={(event) => void save(event)}>
      <div className="panel panel-body form order-form">
        <div className="form-two">
          <TextInput label={t('schedules.name')} required maxLength={128} value={draft.name} error={wrong('name')} data-autofocus={id === undefined || undefined} placeholder={t('schedules.name_example')} onChange={(event) => set({ name: event.currentTarget.value })} />
          <Textarea label={t('schedules.note')} autosize minRows={1} maxLength={500} value={draft.note} error={wrong('note')} onChange={(event) => set({ note: event.currentTarget.value })} />
        </div>
        <VerbFields verbs={VERBS} how={draft.how} onChange={(how) => set({ how })} />
        <TargetFields later targets={draft.targets} onChange={(targets) => set({ targets })} />
        <WhenFields when={draft.when} wrong={wrong} onChange={(change) => set({ when: { ...draft.when, ...change } })} />
        <SafetyFields draft={draft} onChange={set} />
        <PaceFields how={draft.how} onChange={(how) => set({ how })} />
      </div>
      <section className="panel order-answer" aria-labelledby="next-title">
        <header><h2 id="next-title">{t('schedules.next_five')}</h2></header>
        <div className="panel-body form">
          {missing.length > 0 && <ul className="t2">{missing.map((one) => <li key={one}>{t(`schedules.lacks.${one}`)}</li>)}</ul>}
          {missing.length === 0 && !query.error && query.data && <Preview preview={query.data} zone={zone} />}
          <Failure error={beside ? undefined : fault} />
          {beside && <p className="off">{t('schedules.fix_fields')}</p>}
          {!may && <p className="warn">{t('schedules.may_not')}</p>}
          <Switch label={t('schedules.enabled')} checked={draft.enabled} onChange={(event) => set({ enabled: event.currentTarget.checked })} />
          <p className="small t3">{t('schedules.rights')}</p>
          <div className="form-foot">
            <Link className="btn" to="/schedules" search={id === undefined ? {} : { schedule: id }}>{t('act.cancel')}</Link>
            <button type="submit" className="btn main" disabled={busy || !may || beside || lacking.length > 0}>{t('act.save')}</button>
          </div>
          {lacking.includes('name') && missing.length === 0 && <p className="small t3 end">{t('schedules.lacks.name')}</p>}
        </div>
      </section>
      {blocker.status === 'blocked' && <Confirm title={t('schedules.leave_ask')} detail={t('schedules.leave_cost')} button={t('schedules.leave')} onClose={blocker.reset} act={() => Promise.resolve(blocker.proceed())} />}
    </form>
  )
}

function useSchedule(id: number | undefined) {
  return useQuery({ queryKey: ['schedules', id], queryFn: ({ signal }) => api.get<Schedule>(`/api/schedules/${id}`, { signal }), enabled: id !== undefined, staleTime: 0 })
}

function Frame({ title, children, busy }: { title: string; children: React.ReactNode; busy?: boolean }) {
  return (
    <main className="page" aria-busy={busy}>
      <div className="page-head"><h1>{title}</h1><span className="grow" /><Link className="btn" to="/schedules"><Icon name="left" />{t('schedules.title')}</Link></div>
      <Parts at="/schedules" />
      {children}
    </main>
  )
}

/** A new schedule: empty, from an address (verb and VMs), or as a copy of another. */
export function NewSchedulePage() {
  const search = useSearch({ from: '/app/schedules/new' })
  const ready = useReady()
  const copied = useSchedule(search.copy)
  const waiting = !ready || (search.copy !== undefined && copied.isFetching)
  const first = (): Draft => {
    if (copied.data) return { ...draftOf(copied.data), name: t('schedules.copy_of', { name: copied.data.name }) }
    return newDraft(VERBS.find((verb) => verb === search.verb) ?? 'start', targetsOf(search))
  }
  return (
    <Frame title={t('schedules.add')} busy={waiting}>
      <Failure error={copied.error} />
      {waiting ? <p className="t3" role="status">{t('jobs.reading')}</p> : !copied.error && <Form key={search.copy ?? 'new'} first={first()} id={undefined} />}
    </Frame>
  )
}

export function EditSchedulePage() {
  const { scheduleId } = useParams({ from: '/app/schedules/$scheduleId/edit' })
  const ready = useReady()
  const found = useSchedule(scheduleId)
  const waiting = !ready || found.isFetching
  return (
    <Frame title={t('schedules.edit')} busy={waiting && !found.data}>
      <Failure error={found.error} />
      {found.data && ready && <Loaded schedule={found.data} fresh={!found.isFetching} />}
    </Frame>
  )
}

/** The form takes what was fetched just now, not an older copy. */
function Loaded({ schedule, fresh }: { schedule: Schedule; fresh: boolean }) {
  const [taken, setTaken] = useState<Schedule | null>(null)
  if (!taken && fresh) setTaken(schedule)
  return taken ? <Form first={draftOf(taken)} id={taken.id} /> : <p className="t3" role="status">{t('jobs.reading')}</p>
}
