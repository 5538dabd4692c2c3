import { Link } from '@tanstack/react-router'

import type { Host, Pharmacy } from '@/api/types'
import { t } from '@/i18n'
import { percent } from '@/i18n/format'
import { Ago, Lasting, share } from '@/parts/bits'
import { Icon } from '@/parts/Icon'
import { HostState, reasonWords } from '@/parts/State'

/** The pinned note; lines "name: value" line up. */
function Note({ pharmacy, onEdit }: { pharmacy: Pharmacy; onEdit: () => void }) {
  const lines = pharmacy.note.split('\n').filter((line) => line.trim())
  const parts = lines.map((line) => /^([^:：]{1,12})[:：]\s*(.+)$/.exec(line))
  const all = parts.length > 0 && parts.every(Boolean)
  return (
    <section className="panel" aria-labelledby="note-title">
      <header><Icon name="pin" /><h2 id="note-title">{t('pharmacy.note')}</h2><button type="button" className="link small end" onClick={onEdit}>{t('act.edit')}</button></header>
      <div className="panel-body">
        {lines.length === 0 && <p className="t3">{t('pharmacy.no_note')}</p>}
        {all ? <dl className="facts">{parts.map((part) => <div className="fact" key={part![0]}><dt>{part![1]}</dt><dd>{part![2]}</dd></div>)}</dl> : lines.map((line) => <p key={line}>{line}</p>)}
      </div>
    </section>
  )
}

function HostPanel({ host }: { host: Host }) {
  return (
    <section className="panel" aria-label={t('nav.hosts')}>
      <header><h2>{t('nav.hosts')}</h2><span className="t2">{host.node ?? ''}</span><Link to="/hosts/$hostId" params={{ hostId: host.id }}>{t('pharmacy.open_host')}</Link></header>
      <dl className="facts panel-body">
        <div className="fact"><dt>{t('host.status')}</dt><dd className="row-flex"><HostState status={host.status} /><span className="t2 small">{host.status === 'offline' ? <Lasting since={host.since} /> : <><Ago at={host.last_check} /> {t('layer.checked')}</>}</span></dd></div>
        {host.reason && <div className="fact"><dt>{t('host.reason')}</dt><dd>{reasonWords(host.reason)}</dd></div>}
        <div className="fact"><dt>{t('host.address')}</dt><dd>{host.host_ip}:{host.host_port}</dd></div>
        <div className="fact"><dt>{t('host.version')}</dt><dd>{host.version ? `Proxmox VE ${host.version}` : '–'}</dd></div>
        <div className="fact"><dt>{t('host.resources')}</dt><dd className={host.status === 'offline' ? 't3' : undefined}>CPU {percent(host.cpu)} · {t('measure.memory')} {percent(share(host.memory_used, host.memory_total))}</dd></div>
      </dl>
    </section>
  )
}

export function SidePanels({ pharmacy, hosts, onEdit }: { pharmacy: Pharmacy; hosts: readonly Host[]; onEdit: () => void }) {
  return (
    <aside className="pharmacy-side">
      <Note pharmacy={pharmacy} onEdit={onEdit} />
      {hosts.map((host) => <HostPanel key={host.id} host={host} />)}
    </aside>
  )
}
