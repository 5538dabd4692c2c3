import { Menu } from '@mantine/core'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useState } from 'react'

import { api } from '@/api/client'
import type { Host, Pharmacy, Vm } from '@/api/types'
import { openConsole, startThenOpen } from '@/consoles/tabs'
import { t } from '@/i18n'
import { clockTime, moment } from '@/i18n/format'
import { useLatestEvents } from '@/live/events'
import { useNow, usePharmacy, useReady, useRows } from '@/live/store'
import { Ago, inField } from '@/parts/bits'
import { Confirm } from '@/parts/Confirm'
import { Icon, Sign } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'
import { openingWords, PharmacyStateMark, pharmacySign, pharmacyTone } from '@/parts/State'
import { adviceFor, eventWords, verdictSentence } from '@/parts/words'
import { Link } from '@tanstack/react-router'
import { NotFound } from '@/app/status-pages'

import { layersOf, type LayerState } from './layers'
import { PharmacyForm } from './PharmacyForm'
import { SidePanels } from './SidePanels'
import { VmRow } from './VmRow'

import './pharmacy.css'

const NEEDED = new Set(['kiosk', 'pos'])
const KIND_ORDER = ['kiosk', 'pos', 'server', 'backup', 'other']
/** What may be the reason of the call first: a standing kiosk or till, then kinds in their order, then VMID. */
export function callOrder(vms: readonly Vm[]): Vm[] {
  const rank = (vm: Vm) => (NEEDED.has(vm.vm_type) && vm.status !== 'running' && !vm.stale ? -1 : KIND_ORDER.indexOf(vm.vm_type))
  return vms.toSorted((a, b) => rank(a) - rank(b) || a.vmid - b.vmid || a.id - b.id)
}

const LAYER_SIGN: Record<LayerState, React.ReactNode> = {
  ok: <Icon name="check" />,
  bad: <Sign name="cross" />,
  unknown: <Sign name="unknown" />,
}
const LAYER_TONE: Record<LayerState, string> = { ok: 'run', bad: 'off', unknown: 't2' }

function Chain({ host, vms, wrong }: { host: Host; vms: readonly Vm[]; wrong: boolean }) {
  const layers = layersOf(host)
  const running = vms.filter((vm) => vm.status === 'running').length
  const known = host.status !== 'offline'
  return (
    <ol className="chain">
      {layers.map(([layer, state]) => (
        <li key={layer} className={LAYER_TONE[state]}>
          {LAYER_SIGN[state]}
          <span>{t(`layer.${layer}`)}{layer === 'connect' && state === 'ok' && host.latency_ms ? ` ${host.latency_ms} ms` : ''}{state === 'unknown' ? ` ${t('layer.unknown')}` : ''}</span>
        </li>
      ))}
      <li className={!known ? 't2' : wrong && running < vms.length ? 'warn' : 'run'}>
        {known ? wrong && running < vms.length ? <Sign name="warning" /> : <Icon name="check" /> : <Sign name="unknown" />}
        <span>{known ? t('layer.vms', { running, total: vms.length }) : `VM ${t('layer.unknown')}`}</span>
      </li>
      <li className="t3"><span><Ago at={host.last_check} /> {t('layer.checked')}</span></li>
    </ol>
  )
}

function Neighbours({ pharmacy }: { pharmacy: Pharmacy }) {
  const all = useRows('pharmacies')
  const region = pharmacy.groups.find((group) => group.kind === 'region')
  if (!region) return null
  const near = all.filter((one) => one.id !== pharmacy.id && one.groups.some((group) => group.id === region.id))
  const down = near.filter((one) => one.state === 'offline').length
  return <p className="small t2">{down === 0 ? t('neighbours.well', { region: region.name, n: near.length }) : t('neighbours.down', { region: region.name, n: near.length, down })}</p>
}

/** Asks the host now; the rows change by themselves when the answer is in. */
function useRecheck(hosts: readonly Host[]) {
  const [busy, setBusy] = useState(false)
  const recheck = async () => {
    setBusy(true)
    try {
      await Promise.all(hosts.map((host) => api.get(`/api/proxmox/hosts/${host.id}/health`)))
      notifyDone(t('pharmacy.rechecked'))
    } catch (error) {
      notifyFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return { busy, recheck: () => void recheck() }
}

function VerdictPanel({ pharmacy, hosts, vms }: { pharmacy: Pharmacy; hosts: Host[]; vms: Vm[] }) {
  const now = useNow(1000)
  const { busy, recheck } = useRecheck(hosts)
  const bad = hosts.find((host) => host.status === 'offline')
  const host = bad ?? hosts[0]
  const advice = bad?.reason ? adviceFor(bad.reason) : undefined
  const standing = !bad ? vms.find((vm) => NEEDED.has(vm.vm_type) && vm.status === 'stopped' && !vm.missing_since) : undefined
  const tone = pharmacy.state === 'offline' ? 'bad' : pharmacy.state === 'warning' ? 'amber' : ''
  return (
    <section className={`verdict ${tone}`} aria-label={t('pharmacy.verdict')}>
      <span className={pharmacyTone(pharmacy.state)}><Sign name={pharmacySign(pharmacy.state)} size={20} /></span>
      <div className="grow">
        <h2>{verdictSentence(pharmacy, hosts, now)}</h2>
        {host && <Chain host={host} vms={vms.filter((vm) => vm.host_id === host.id)} wrong={pharmacy.state === 'warning'} />}
        {bad && advice?.remedy && <p className="strong">{advice.remedy}</p>}
        {bad && <Neighbours pharmacy={pharmacy} />}
        {bad && advice?.aloud && (
          <figure className="aloud">
            <figcaption className="small t2">{t('pharmacy.aloud')}</figcaption>
            <blockquote>“{advice.aloud}”</blockquote>
          </figure>
        )}
      </div>
      <div className="verdict-acts">
        {bad?.reason === 'certificate_changed' || bad?.reason === 'credential_refused' ? <Link className="btn" to="/hosts/$hostId" params={{ hostId: bad.id }}>{t('pharmacy.fix_host')}</Link> : null}
        {bad && <button type="button" className="btn main big" disabled={busy} onClick={recheck}>{t('act.recheck')}</button>}
        {standing && !standing.task && <button type="button" className="btn main big" onClick={() => startThenOpen(standing.id)}><Icon name="play" />{t('pharmacy.start_open', { vm: standing.vm_name })}</button>}
        {hosts.length === 0 && <Link className="btn main big" to="/hosts" search={{ add: true, pharmacy_id: pharmacy.id }}><Icon name="plus" />{t('hosts.add')}</Link>}
      </div>
    </section>
  )
}

/** Digits open (or start) the VM of that line, unless somebody types or a dialog is open. */
function useDigits(vms: readonly Vm[]): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1]
      if (!digit || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || inField(event) || document.querySelector('[role=dialog]')) return
      const vm = vms[Number(digit) - 1]
      if (!vm || vm.stale || vm.task) return
      event.preventDefault()
      if (vm.status === 'running') openConsole(vm.id)
      else if (vm.status === 'stopped') startThenOpen(vm.id)
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [vms])
}

function TimeLine({ pharmacyId }: { pharmacyId: number }) {
  const events = useLatestEvents(pharmacyId, 12)
  const now = useNow(60_000)
  return (
    <section className="panel" aria-labelledby="timeline-title">
      <header><h2 id="timeline-title">{t('pharmacy.timeline')}</h2><Link to="/events" search={{ pharmacy_id: pharmacyId }}>{t('pharmacy.all_events')}</Link></header>
      {events.length === 0 && <p className="empty">{t('dash.no_events')}</p>}
      {events.map((event) => {
        const { sign, tone, sentence, note } = eventWords(event, true)
        return (
          <p className="line" key={event.seq}>
            <time className="t3 timeline-when" dateTime={event.at} title={clockTime(event.at)}>{moment(event.at, now)}</time>
            <span className={tone}><Sign name={sign} /></span>
            <span className="ellipsis grow">{sentence}</span>
            <span className="small t3 nowrap">{note}</span>
          </p>
        )
      })}
    </section>
  )
}

function Head({ pharmacy, hosts, onEdit }: { pharmacy: Pharmacy; hosts: Host[]; onEdit: () => void }) {
  const [removing, setRemoving] = useState(false)
  const navigate = useNavigate()
  const host = hosts[0]
  return (
    <div className="pharmacy-head">
      <div className="row-flex">
        <h1>{pharmacy.name}</h1>
        <span className="t3">{pharmacy.code}</span>
        <PharmacyStateMark state={pharmacy.state} />
        <span className="grow" />
        {host && <a className="btn phone-hide" href={`https://${host.host_ip}:${host.host_port}/`} target="_blank" rel="noreferrer"><Icon name="host" />{t('pharmacy.open_proxmox')}<Icon name="external" /></a>}
        <Menu>
          <Menu.Target><button type="button" className="btn icon" aria-label={t('nav.more')}><Icon name="more" /></button></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={onEdit}>{t('pharmacies.edit')}</Menu.Item>
            <Menu.Item onClick={() => void navigate({ to: '/hosts', search: { add: true, pharmacy_id: pharmacy.id } })}>{t('hosts.add')}</Menu.Item>
            <Menu.Item color="red" onClick={() => setRemoving(true)}>{t('pharmacies.remove')}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
      <div className="pharmacy-facts">
        {pharmacy.phone && <a className="pharmacy-phone" href={`tel:${pharmacy.phone}`}><Icon name="phone" />{pharmacy.phone}</a>}
        <span className={pharmacy.opening.state === 'open' ? 'state run strong' : 'state t2'}><Sign name={pharmacy.opening.state === 'open' ? 'ok' : 'stopped'} />{openingWords(pharmacy.opening)}</span>
        {pharmacy.address && <span className="t2">{pharmacy.address}</span>}
        {pharmacy.representative && <span className="t2">{t('pharmacy.representative')} {pharmacy.representative}</span>}
        {pharmacy.groups.map((group) => <span className="tag plain" key={group.id}>{group.name}</span>)}
      </div>
      {removing && (
        <Confirm title={t('pharmacies.remove_ask', { name: pharmacy.name })} detail={t('pharmacies.remove_cost', { n: pharmacy.host_ids.length })} button={t('pharmacies.remove')} onClose={() => setRemoving(false)}
          act={async () => {
            await api.delete(`/api/pharmacies/${pharmacy.id}`)
            await navigate({ to: '/pharmacies' })
          }} />
      )}
    </div>
  )
}

export function PharmacyPage() {
  const { pharmacyId } = useParams({ from: '/app/pharmacies/$pharmacyId' })
  const { edit } = useSearch({ from: '/app/pharmacies/$pharmacyId' })
  const navigate = useNavigate({ from: '/pharmacies/$pharmacyId' })
  const ready = useReady()
  const pharmacy = usePharmacy(pharmacyId)
  const allHosts = useRows('hosts', 250)
  const allVms = useRows('vms', 250)
  const hosts = useMemo(() => allHosts.filter((host) => host.pharmacy_id === pharmacyId), [allHosts, pharmacyId])
  const vms = useMemo(() => callOrder(allVms.filter((vm) => vm.pharmacy_id === pharmacyId && !vm.template)), [allVms, pharmacyId])
  useDigits(vms)
  if (!pharmacy) return ready ? <NotFound /> : <main className="page" aria-busy="true"><p className="t3" role="status">{t('link.connecting')}</p></main>
  const setEdit = (on: boolean) => void navigate({ search: on ? { edit: true } : {}, replace: true })
  const running = vms.filter((vm) => vm.status === 'running').length
  return (
    <main className="page pharmacy-page">
      <Head pharmacy={pharmacy} hosts={hosts} onEdit={() => setEdit(true)} />
      <VerdictPanel pharmacy={pharmacy} hosts={hosts} vms={vms} />
      <div className="pharmacy-grid">
        <div className="pharmacy-main">
          <section className="panel" aria-labelledby="vms-title">
            <header>
              <h2 id="vms-title">VM</h2>
              <span className="t2">{t('pharmacy.vm_count', { total: vms.length, running })}</span>
              <Link to="/vms" search={{ pharmacy_id: pharmacyId }}>{t('pharmacy.in_vms')}</Link>
            </header>
            {vms.length === 0 && <p className="empty">{t('pharmacy.no_vms')}</p>}
            {vms.map((vm, index) => <VmRow key={vm.id} vm={vm} digit={index < 9 ? index + 1 : undefined} />)}
          </section>
          <TimeLine pharmacyId={pharmacyId} />
        </div>
        <SidePanels pharmacy={pharmacy} hosts={hosts} onEdit={() => setEdit(true)} />
      </div>
      {edit && <PharmacyForm pharmacy={pharmacy} onClose={() => setEdit(false)} onSaved={() => setEdit(false)} />}
    </main>
  )
}
