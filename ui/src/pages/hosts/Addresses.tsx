import { Checkbox, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'

import { api, ApiError } from '@/api/client'
import type { Host } from '@/api/types'
import { t } from '@/i18n'
import { Failure, fieldError } from '@/parts/Failure'
import { notifyDone } from '@/parts/notify'

import { Fingerprint } from './Fingerprint'

interface Seen {
  address: string
  fingerprint: string
}

/** Further addresses, a line each. One that shows a certificate nobody has confirmed is asked about before it is saved. */
function ChangeAddresses({ host, onClose }: { host: Host; onClose: () => void }) {
  const [text, setText] = useState(host.addresses.join('\n'))
  const [confirmed, setConfirmed] = useState<readonly Seen[]>([])
  const [error, setError] = useState<unknown>()
  const [sure, setSure] = useState(false)
  const [busy, setBusy] = useState(false)
  const strange = error instanceof ApiError && error.code === 'host.fingerprint_unconfirmed' ? (error.params as unknown as Seen) : undefined
  const unproved = error instanceof ApiError && error.code === 'host.not_proved'
  const save = async (force: boolean) => {
    const now = strange && sure ? [...confirmed, strange] : confirmed
    setConfirmed(now)
    setSure(false)
    setBusy(true)
    setError(undefined)
    try {
      await api.put(`/api/proxmox/hosts/${host.id}`, {
        addresses: text.split(/[\s,;]+/).filter(Boolean),
        fingerprint: now.find((seen) => seen.address === host.host_ip)?.fingerprint,
        fingerprints: now.filter((seen) => seen.address !== host.host_ip).map((seen) => seen.fingerprint),
        ...(force ? { force } : {}),
      })
      notifyDone(t('host.addresses_saved'))
      onClose()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }
  const wrong = fieldError(error, 'addresses')
  return (
    <Modal opened onClose={onClose} title={t('host.change_addresses')} size={640}>
      <form className="form" onSubmit={(event) => {
        event.preventDefault()
        void save(false)
      }}>
        <Textarea label={t('host.addresses')} description={t('host.addresses_hint', { address: host.host_ip, port: host.host_port })} inputWrapperOrder={['label', 'input', 'description', 'error']} autosize minRows={3} maxRows={8} placeholder={'100.64.0.111\n100.64.0.112'} spellCheck={false} autoComplete="off" value={text} error={wrong} onChange={(event) => {
          setText(event.currentTarget.value)
          setError(undefined)
        }} />
        {strange && (
          <>
            <p className="warn strong">{t('host.address_shows', { address: strange.address })}</p>
            <Fingerprint value={strange.fingerprint} />
            <p className="small t2">{t('add.compare')}</p>
            <Checkbox checked={sure} onChange={(event) => setSure(event.currentTarget.checked)} label={t('add.sure')} description={t('add.sure_hint')} />
          </>
        )}
        {!strange && !wrong && <Failure error={error}>{unproved && <><span className="grow">{fieldError(error, 'host_ip') ?? fieldError(error, 'credential_id')}</span><button type="button" className="btn in-row" disabled={busy} onClick={() => void save(true)}>{t('add.force')}</button></>}</Failure>}
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || (!!strange && !sure)}>{busy ? t('add.looking') : strange ? t('host.confirm_and_save') : t('act.save')}</button></div>
      </form>
    </Modal>
  )
}

/** Where a host is reached: its own address, then those of its cluster's other nodes, in the order they are tried. */
export function Addresses({ host }: { host: Host }) {
  const [changing, setChanging] = useState(false)
  return (
    <section className="panel" aria-labelledby="addresses-title">
      <header><h2 id="addresses-title">{t('host.reached')}</h2><button type="button" className="link small end" onClick={() => setChanging(true)}>{t('host.change_addresses')}</button></header>
      <dl className="facts panel-body">
        <div className="fact"><dt>{t('host.address')}</dt><dd>{host.host_ip}:{host.host_port}</dd></div>
        <div className="fact"><dt>{t('host.addresses')}</dt><dd>{host.addresses.length > 0 ? host.addresses.join(', ') : t('host.no_addresses')}</dd></div>
      </dl>
      {changing && <ChangeAddresses host={host} onClose={() => setChanging(false)} />}
    </section>
  )
}
