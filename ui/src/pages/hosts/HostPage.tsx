import { Checkbox, Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Credential, Health, Host, List } from '@/api/types'
import { NotFound } from '@/app/status-pages'
import { useMay } from '@/consoles/may'
import { openPlace } from '@/consoles/tabs'
import { t, tMaybe } from '@/i18n'
import { bytes, day, percent, span } from '@/i18n/format'
import { useHost, useReady, useRows } from '@/live/store'
import { Ago, Lasting, share } from '@/parts/bits'
import { Confirm } from '@/parts/Confirm'
import { CodeFailure, Failure } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'
import { HostState, reasonWords, VmState } from '@/parts/State'

import { Addresses } from './Addresses'
import { CredentialFields, credentialBody, credentialReady, noCredential, type CredentialDraft } from './CredentialFields'
import { Fingerprint } from './Fingerprint'

import './hosts.css'

function Meter({ label, used, total, fraction }: { label: string; used?: number | null; total?: number | null; fraction: number | null }) {
  const hot = fraction !== null && fraction >= 0.9
  return (
    <div className="meter">
      <span className="t2">{label}</span>
      <span className={hot ? 'bar hot' : 'bar'}><i><b style={{ width: `${(fraction ?? 0) * 100}%` }} /></i></span>
      <span className="num">{percent(fraction)}{total ? <span className="small t2"> · {bytes(used)} / {bytes(total)}</span> : null}</span>
    </div>
  )
}

const STEP_SIGN = { ok: ['ok', 'run'], failed: ['cross', 'off'], skipped: ['unknown', 'stop'] } as const

/** Where it breaks, layer by layer: asked of the host now. */
function Diagnosis({ host }: { host: Host }) {
  const { data, error, isFetching, refetch } = useQuery({ queryKey: ['health', host.id, host.status, host.reason], queryFn: ({ signal }) => api.get<Health>(`/api/proxmox/hosts/${host.id}/health`, { signal }), staleTime: 0 })
  return (
    <section className="panel" aria-labelledby="diagnosis-title">
      <header><h2 id="diagnosis-title">{t('host.diagnosis')}</h2>{data && <span className="small t2">{data.checked === 'live' ? t('host.live') : t('host.last_known', { age: span(data.age_s) })}</span>}<button type="button" className="btn in-row end" disabled={isFetching} onClick={() => void refetch()}><Icon name="refresh" />{isFetching ? t('add.looking') : t('act.recheck')}</button></header>
      <div className="panel-body form" aria-busy={isFetching}>
        <Failure error={error} />
        <ul className="probe">
          {(data?.steps ?? []).map((step) => {
            const [sign, tone] = STEP_SIGN[step.state]
            return <li key={step.step}><span className={tone}><Sign name={sign} /></span><span className="strong">{tMaybe(`health.${step.step}`) ?? step.step}</span><span>{t(`health.state.${step.state}`)}{step.ms !== null && step.state === 'ok' ? ` · ${step.ms} ms` : ''}</span></li>
          })}
        </ul>
        {host.reason && host.status === 'offline' && <CodeFailure code={`pve.${host.reason}`} params={{ detail: reasonWords(host.reason), ...host.reason_params }} />}
      </div>
    </section>
  )
}

function CertificatePanel({ host }: { host: Host }) {
  const [sure, setSure] = useState(false)
  const [error, setError] = useState<unknown>()
  const seen = host.certificate?.seen
  const changed = host.reason === 'certificate_changed' && seen
  const pin = async () => {
    setError(undefined)
    try {
      await api.post(`/api/proxmox/hosts/${host.id}/pin`, { fingerprint: seen })
      notifyDone(t('cert.pinned'))
    } catch (caught) {
      setError(caught)
    }
  }
  return (
    <section className="panel" aria-labelledby="cert-title">
      <header><h2 id="cert-title">{t('layer.certificate')}</h2>{host.certificate?.not_after && <span className="small t2">{t('cert.until', { until: day(host.certificate.not_after) })}</span>}</header>
      <div className="panel-body form">
        {changed && (
          <>
            <p className="off strong row-flex"><Sign name="cross" />{t('cert.changed')}</p>
            <Fingerprint value={seen} />
            <Checkbox checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} label={t('add.sure')} description={t('cert.sure_hint')} />
            <Failure error={error} />
            <button type="button" className="btn main" disabled={!sure} onClick={() => void pin()}>{t('cert.pin')}</button>
            <p className="small t2">{t('cert.before')}</p>
          </>
        )}
        {host.certificate?.fingerprint ? <Fingerprint value={host.certificate.fingerprint} /> : <p className="t3">–</p>}
        {(host.certificate?.nodes ?? []).slice(1).map((other) => (
          <div key={other.fingerprint}>
            <p className="small t2">{t('host.node')} {other.node ?? '–'}{other.not_after && ` · ${t('cert.until', { until: day(other.not_after) })}`}</p>
            <Fingerprint value={other.fingerprint} />
          </div>
        ))}
      </div>
    </section>
  )
}

function ChangeLogin({ host, onClose }: { host: Host; onClose: () => void }) {
  const sets = useQuery({ queryKey: ['credentials'], queryFn: () => api.get<List<Credential>>('/api/credentials', { query: { limit: 1000 } }) })
  const [draft, setDraft] = useState<CredentialDraft>({ ...noCredential, mode: host.credential_id ? 'shared' : 'own', id: host.credential_id ? String(host.credential_id) : null, kind: host.credential_kind, username: host.username })
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const save = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await api.put(`/api/proxmox/hosts/${host.id}`, await credentialBody(draft))
      notifyDone(t('host.login_saved'))
      onClose()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Modal opened onClose={onClose} title={t('host.change_login')} size={560}>
      <form className="form" onSubmit={(event) => void save(event)}>
        <CredentialFields draft={draft} onChange={setDraft} sets={sets.data?.items ?? []} error={error} />
        <Failure error={error} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || !credentialReady(draft)}>{t('act.save')}</button></div>
      </form>
    </Modal>
  )
}

function Guests({ host }: { host: Host }) {
  const vms = useRows('vms').filter((vm) => vm.host_id === host.id).toSorted((a, b) => a.vmid - b.vmid)
  return (
    <section className="panel" aria-labelledby="guests-title">
      <header><h2 id="guests-title">VM</h2><span className="t2">{t('unit.machines', { n: vms.length })}</span><Link to="/vms" search={{ pharmacy_id: host.pharmacy_id }}>{t('pharmacy.in_vms')}</Link></header>
      {vms.length === 0 && <p className="empty">{t('pharmacy.no_vms')}</p>}
      {vms.map((vm) => (
        <Link key={vm.id} className={vm.stale ? 'line stale' : 'line'} to="/vms" search={{ pharmacy_id: host.pharmacy_id, vm: vm.id }}>
          <span className="t2">{vm.vmid}</span><span className="strong ellipsis grow">{vm.vm_name}</span><span className="small t2">{t(`vm.type.${vm.vm_type}`)}</span><VmState status={vm.status} stale={vm.stale} />
        </Link>
      ))}
    </section>
  )
}

export function HostPage() {
  const { hostId } = useParams({ from: '/app/hosts/$hostId' })
  const navigate = useNavigate()
  const ready = useReady()
  const host = useHost(hostId)
  const mayShell = useMay('node.shell')
  const [login, setLogin] = useState(false)
  const [removing, setRemoving] = useState(false)
  if (!host) return ready ? <NotFound /> : <main className="page" aria-busy="true"><p className="t3" role="status">{t('link.connecting')}</p></main>
  const maintenance = host.status === 'maintenance' || host.maintenance === true
  const toggle = async () => {
    try {
      await api.put(`/api/proxmox/hosts/${host.id}`, { maintenance: !maintenance })
      notifyDone(maintenance ? t('host.maintenance_ended') : t('host.maintenance_begun'))
    } catch (error) {
      notifyFailed(error)
    }
  }
  const offline = host.status === 'offline'
  return (
    <main className="page">
      <div className="page-head">
        <h1><Link to="/pharmacies/$pharmacyId" params={{ pharmacyId: host.pharmacy_id }}>{host.pharmacy_name}</Link></h1>
        <span className="t2">{host.host_ip}:{host.host_port}</span>
        <HostState status={host.status} />
        {host.since && <span className="t2 small"><Lasting since={host.since} /></span>}
        <span className="grow" />
        <a className="btn" href={`https://${host.host_ip}:${host.host_port}/`} target="_blank" rel="noreferrer">{t('pharmacy.open_proxmox')}<Icon name="external" /></a>
        {mayShell && host.status !== 'offline' && <button type="button" className="btn" onClick={() => openPlace({ kind: 'shell', id: host.id })}><Icon name="screen" />{t('console.open_shell')}</button>}
        <button type="button" className="btn" aria-pressed={maintenance} onClick={() => void toggle()}><Icon name="wrench" />{maintenance ? t('host.end_maintenance') : t('host.begin_maintenance')}</button>
        <button type="button" className="btn" onClick={() => setRemoving(true)}><Icon name="trash" />{t('hosts.remove')}</button>
      </div>
      <div className="host-grid">
        <div>
          <Diagnosis host={host} />
          <Guests host={host} />
        </div>
        <div>
          <section className="panel" aria-labelledby="load-title">
            <header><h2 id="load-title">{t('host.resources')}</h2><span className="small t2">{t('host.last_check')} <Ago at={host.last_check} /></span></header>
            <div className={offline ? 'panel-body stale' : 'panel-body'}>
              <Meter label="CPU" fraction={host.cpu} />
              <Meter label={t('measure.memory')} used={host.memory_used} total={host.memory_total} fraction={share(host.memory_used, host.memory_total)} />
              <Meter label={t('measure.storage')} used={host.storage_used} total={host.storage_total} fraction={share(host.storage_used, host.storage_total)} />
            </div>
          </section>
          <section className="panel" aria-labelledby="account-title">
            <header><h2 id="account-title">{t('host.login')}</h2><button type="button" className="link small end" onClick={() => setLogin(true)}>{t('host.change_login')}</button></header>
            <dl className="facts panel-body">
              <div className="fact"><dt>{t('credential.username')}</dt><dd>{host.username}</dd></div>
              <div className="fact"><dt>{t('credential.kind')}</dt><dd>{t(`credential.${host.credential_kind}`)}{host.credential_id ? ` · ${t('credential.shared')}` : ''}</dd></div>
              <div className="fact"><dt>{t('host.version')}</dt><dd>{host.version ? `Proxmox VE ${host.version}` : '–'}</dd></div>
              <div className="fact"><dt>{t('host.node')}</dt><dd>{host.node ?? '–'}</dd></div>
              <div className="fact"><dt>{t('host.last_contact')}</dt><dd><Ago at={host.last_contact} /></dd></div>
            </dl>
          </section>
          <Addresses host={host} />
          <CertificatePanel key={host.certificate?.seen ?? ''} host={host} />
        </div>
      </div>
      {login && <ChangeLogin host={host} onClose={() => setLogin(false)} />}
      {removing && (
        <Confirm title={t('hosts.remove_ask', { name: host.pharmacy_name, ip: host.host_ip })} detail={t('hosts.remove_cost', { n: host.vm_count })} button={t('hosts.remove')} typed={host.vm_count > 0 ? String(host.vm_count) : undefined} onClose={() => setRemoving(false)}
          act={async () => {
            await api.delete(`/api/proxmox/hosts/${host.id}`, { query: { force: host.vm_count > 0 } })
            await navigate({ to: '/hosts' })
          }} />
      )}
    </main>
  )
}
