import { Checkbox, Modal, NumberInput, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { api, ApiError } from '@/api/client'
import type { Credential, Host, List, Probe } from '@/api/types'
import { t } from '@/i18n'
import { day } from '@/i18n/format'
import { useHost, useRows } from '@/live/store'
import { Failure, fieldError } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { HostState } from '@/parts/State'

import { CredentialFields, credentialBody, credentialReady, noCredential, type CredentialDraft } from './CredentialFields'
import { Fingerprint } from './Fingerprint'

import './hosts.css'

const STEPS = ['address', 'fingerprint', 'login', 'done'] as const
type Step = (typeof STEPS)[number]

interface Draft {
  pharmacyId: string | null
  address: string
  port: number | null
  node: string
}

function Steps({ at, notes }: { at: Step; notes: Partial<Record<Step, string>> }) {
  const now = STEPS.indexOf(at)
  return (
    <ol className="steps">
      {STEPS.map((step, index) => (
        <li key={step} className={index === now ? 'step current' : 'step'} aria-current={index === now ? 'step' : undefined}>
          {index < now ? <span className="run"><Sign name="ok" size={24} /></span> : <span className="step-no">{index + 1}</span>}
          <span><span className="strong">{t(`add.${step}`)}</span><span className="small t2">{notes[step] ?? t(`add.${step}_hint`)}</span></span>
        </li>
      ))}
    </ol>
  )
}

function AddressStep({ draft, set, error }: { draft: Draft; set: (change: Partial<Draft>) => void; error: unknown }) {
  const pharmacies = useRows('pharmacies')
  const placed = fieldError(error, 'address') ?? fieldError(error, 'host_ip')
  // What the host did is said in three parts; a mistyped value is said beside it, and only there.
  const about = error instanceof ApiError && error.code !== 'request.invalid'
  const data = useMemo(() => pharmacies.map((one) => ({ value: String(one.id), label: `${one.name} (${one.code})` })), [pharmacies])
  return (
    <div className="form">
      <Select label={t('pharmacy.name')} required searchable data={data} limit={50} value={draft.pharmacyId} onChange={(pharmacyId) => set({ pharmacyId })} error={fieldError(error, 'pharmacy_id')} nothingFoundMessage={t('add.no_pharmacy')} />
      {pharmacies.length === 0 && <p className="warn row-flex">{t('add.no_pharmacy')} <Link to="/pharmacies" search={{ add: true }}>{t('pharmacies.add')}</Link></p>}
      <div className="form-two">
        <TextInput label={t('host.address')} required placeholder="100.64.0.110" value={draft.address} spellCheck={false} autoComplete="off" onChange={(event) => set({ address: event.currentTarget.value })} error={about ? !!placed : placed} />
        <NumberInput label={t('host.port')} description={t('add.port_hint')} inputWrapperOrder={['label', 'input', 'description', 'error']} min={1} max={65535} hideControls allowDecimal={false} value={draft.port ?? ''} onChange={(port) => set({ port: typeof port === 'number' ? port : null })} error={fieldError(error, 'port') ?? fieldError(error, 'host_port')} />
      </div>
      {(about || !placed) && <Failure error={error} />}
    </div>
  )
}

function FingerprintStep({ probe, same, sure, setSure }: { probe: Probe; same: number; sure: boolean; setSure: (sure: boolean) => void }) {
  return (
    <div className="form">
      <ul className="probe">
        <li><span className="run"><Sign name="ok" /></span><span className="strong">TCP</span><span>{t('add.port_open', { port: probe.port })}</span></li>
        <li><span className="warn"><Sign name="warning" /></span><span className="strong">{t('layer.certificate')}</span><span>{t('add.certificate', { subject: probe.subject, until: day(probe.not_after) })}</span></li>
        <li>
          <span className={probe.is_proxmox ? 'run' : 'warn'}><Sign name={probe.is_proxmox ? 'ok' : 'warning'} /></span>
          <span className="strong">{t('add.answer')}</span>
          <span>{probe.is_proxmox ? t('add.is_proxmox') : t('add.not_proxmox', { server: probe.server || '–' })}</span>
        </li>
      </ul>
      <Fingerprint value={probe.fingerprint} />
      <p className="small t2">{t('add.compare')} {same > 0 ? <span className="warn strong">{t('add.same', { n: same })}</span> : t('add.unique')}</p>
      <Checkbox checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} label={t('add.sure')} description={t('add.sure_hint')} />
    </div>
  )
}

function DoneStep({ id }: { id: number }) {
  const host = useHost(id)
  return (
    <div className="empty">
      <span className="run"><Sign name="ok" size={32} /></span>
      <p className="strong">{t('add.saved')}</p>
      {host && <HostState status={host.status} />}
      <p className="t2">{host?.version ? t('add.saved_version', { version: host.version, node: host.node ?? '–', n: host.vm_count }) : t('add.saved_wait')}</p>
    </div>
  )
}

/** Address → fingerprint read and confirmed by a person → account → saved. No secret leaves before the confirmation. */
export function AddHost({ pharmacyId, onClose }: { pharmacyId?: number; onClose: () => void }) {
  const [step, setStep] = useState<Step>('address')
  const [draft, setDraft] = useState<Draft>({ pharmacyId: pharmacyId ? String(pharmacyId) : null, address: '', port: null, node: '' })
  const [probe, setProbe] = useState<Probe>()
  const [sure, setSure] = useState(false)
  const [credential, setCredential] = useState<CredentialDraft | null>(null)
  const [saved, setSaved] = useState<Host>()
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const hosts = useRows('hosts')
  const navigate = useNavigate()
  const pharmacies = useRows('pharmacies')
  const sets = useQuery({ queryKey: ['credentials'], queryFn: () => api.get<List<Credential>>('/api/credentials', { query: { limit: 1000 } }) })
  const known = sets.data?.items ?? []
  const login: CredentialDraft = credential ?? (known.length ? { ...noCredential, id: String(known[0]!.id) } : { ...noCredential, mode: 'new' })

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
  const look = () =>
    doing(async () => {
      setProbe(await api.post<Probe>('/api/proxmox/hosts/probe', { address: draft.address.trim(), ...(draft.port ? { port: draft.port } : {}) }))
      setSure(false)
      setStep('fingerprint')
    })
  const save = (force: boolean) =>
    doing(async () => {
      if (!probe) return
      const account = await credentialBody(login)
      // A set stored by this attempt is a shared one from now on, so that trying again does not store it twice.
      if (login.mode === 'new' && 'credential_id' in account) {
        await sets.refetch()
        setCredential({ ...noCredential, id: String(account.credential_id) })
      }
      const host = await api.post<Host>('/api/proxmox/hosts', { pharmacy_id: Number(draft.pharmacyId), host_ip: probe.address, host_port: probe.port, fingerprint: probe.fingerprint, ...account, ...(force ? { force: true } : {}) })
      setSaved(host)
      setStep('done')
    })
  const same = probe ? hosts.filter((host) => host.certificate?.fingerprint === probe.fingerprint).length : 0
  const name = pharmacies.find((one) => String(one.id) === draft.pharmacyId)?.name
  const notes: Partial<Record<Step, string>> = step === 'address' ? {} : { address: `${name ?? ''} ${probe?.address ?? ''}` }
  const unproved = error instanceof ApiError && error.code === 'host.not_proved'
  return (
    <Modal opened onClose={onClose} size={864} title={t('hosts.add')} padding={0} classNames={{ header: 'add-head' }}>
      <form className="add" onSubmit={(event) => {
        event.preventDefault()
        if (step === 'address') void look()
        else if (step === 'fingerprint') setStep('login')
        else if (step === 'login') void save(false)
        else onClose()
      }}>
        <Steps at={step} notes={notes} />
        <div className="add-body">
          {step === 'address' && <AddressStep draft={draft} set={(change) => setDraft((before) => ({ ...before, ...change }))} error={error} />}
          {step === 'fingerprint' && probe && <FingerprintStep probe={probe} same={same} sure={sure} setSure={setSure} />}
          {step === 'login' && <div className="form"><CredentialFields draft={login} onChange={setCredential} sets={known} error={error} /><Failure error={error}>{unproved && <><span className="grow">{fieldError(error, 'host_ip')}</span><button type="button" className="btn in-row" disabled={busy} onClick={() => void save(true)}>{t('add.force')}</button></>}</Failure></div>}
          {step === 'done' && saved && <DoneStep id={saved.id} />}
        </div>
        <footer className="add-foot">
          <span className="small t2 grow">{t('add.foot')}</span>
          {step === 'fingerprint' && <button type="button" className="btn" onClick={() => setStep('address')}>{t('act.back')}</button>}
          {step === 'login' && <button type="button" className="btn" onClick={() => setStep('fingerprint')}>{t('act.back')}</button>}
          {step === 'address' && <button type="submit" className="btn main" disabled={busy || !draft.pharmacyId || !draft.address.trim()}>{busy ? t('add.looking') : t('add.next_look')}</button>}
          {step === 'fingerprint' && <button type="submit" className="btn main" disabled={!sure}>{t('add.next_login')}</button>}
          {step === 'login' && <button type="submit" className="btn main" disabled={busy || !credentialReady(login)}>{busy ? t('add.saving') : t('add.save')}</button>}
          {step === 'done' && <><button type="button" className="btn" onClick={() => saved && void navigate({ to: '/hosts/$hostId', params: { hostId: saved.id } })}>{t('pharmacy.open_host')}</button><button type="submit" className="btn main"><Icon name="check" />{t('act.close')}</button></>}
        </footer>
      </form>
    </Modal>
  )
}
