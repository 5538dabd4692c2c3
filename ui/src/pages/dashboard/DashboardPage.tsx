import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import type { Host, Job, Pharmacy, Summary } from '@/api/types'
import { t, tMaybe } from '@/i18n'
import { clockSeconds, count, percent } from '@/i18n/format'
import { useLatestEvents } from '@/live/events'
import { useNow, useReady, useRows, useSummary } from '@/live/store'
import { Ago, Lasting, Progress } from '@/parts/bits'
import { Icon, Sign } from '@/parts/Icon'
import { reasonWords } from '@/parts/State'
import { eventWords, problemWords } from '@/parts/words'

import { FleetMap } from './FleetMap'
import { busiest, hostsOf, problems, type Measure } from './model'
import { NextRuns } from './NextRuns'

import './dashboard.css'

function Verdict({ summary, pharmacies }: { summary: Summary; pharmacies: readonly Pharmacy[] }) {
  const down = summary.pharmacies.open_offline
  const off = pharmacies.filter((one) => one.state === 'offline').length
  const warned = pharmacies.filter((one) => one.state === 'warning').length
  const standing = off + warned
  const reasons = Object.entries(summary.hosts.reasons).filter(([, n]) => n > 0).toSorted((a, b) => b[1] - a[1])
  const [sign, tone, sentence] =
    down > 0
      ? (['cross', 'off', t('dash.open_down', { n: down })] as const)
      : summary.hosts.total === 0
        ? (['unknown', 'stop', t('dash.no_hosts')] as const)
        : standing > 0
          ? (['warning', 'warn', t('dash.open_warning', { n: standing })] as const)
          : (['ok', 'run', t('dash.all_well')] as const)
  return (
    <div className="dash-verdict">
      <h1><span className={tone}><Sign name={sign} /></span>{sentence}</h1>
      {standing > 0 && <p className="t2">{[...(warned > 0 ? [`${t('dash.warnings')} ${warned}`] : []), ...reasons.map(([code, n]) => `${reasonWords(code)} ${n}`)].join(' · ')}</p>}
      {summary.hosts.online > 0 && <p className="small t3 end">{t('dash.fresh', { n: summary.hosts.online })}</p>}
    </div>
  )
}

function Card({ to, search, label, figure, bad, children }: { to: '/hosts' | '/vms'; search?: { status: string }; label: string; figure: number; bad?: boolean; children: React.ReactNode }) {
  return (
    <Link to={to} search={search ?? {}} className="panel card">
      <span className="card-label">{label}<Icon name="right" /></span>
      <span className={bad ? 'card-figure off' : 'card-figure'}>{count(figure)}</span>
      <span className="small t2">{children}</span>
    </Link>
  )
}

function Cards({ summary, pharmacies }: { summary: Summary; pharmacies: readonly Pharmacy[] }) {
  const { hosts, vms } = summary
  const off = (states: readonly string[]) => pharmacies.filter((one) => one.state === 'offline' && states.includes(one.opening.state)).length
  const parts = (list: [string, number, boolean?][]) => list.filter(([, n, always]) => always || n > 0).map(([word, n]) => `${word} ${count(n)}`).join(' · ')
  return (
    <section className="cards" aria-label={t('dash.figures')}>
      <Card to="/hosts" label={t('card.hosts')} figure={hosts.total}>
        {parts([[t('host.status.online'), hosts.online, true], [t('host.status.offline'), hosts.offline, true], [t('host.status.maintenance'), hosts.maintenance]])}
      </Card>
      <Card to="/vms" label={t('card.vms')} figure={vms.total}>
        {parts([[t('vm.status.running'), vms.running, true], [t('vm.status.stopped'), vms.stopped, true], [t('vm.status.suspended'), vms.suspended], [t('vm.status.unknown'), vms.unknown]])}
      </Card>
      <Card to="/vms" search={{ status: 'running' }} label={t('card.running')} figure={vms.running}>
        {parts([[t('card.confirmed'), vms.running_confirmed, true], [t('card.last_known'), vms.running_last_known, true]])}
      </Card>
      <Card to="/hosts" search={{ status: 'offline' }} label={t('card.offline')} figure={hosts.offline} bad={hosts.offline > 0}>
        {hosts.total === 0 ? '–' : hosts.offline === 0 ? t('card.none_offline') : parts([[t('opening.open'), off(['open', 'unknown']), true], [t('opening.before'), off(['before'])], [t('opening.after'), off(['after'])], [t('opening.closed'), off(['closed'])]])}
      </Card>
    </section>
  )
}

function ProblemRow({ pharmacy, hosts, warn }: { pharmacy: Pharmacy; hosts: ReadonlyMap<number, Host>; warn: boolean }) {
  const { words, since } = problemWords(pharmacy, hostsOf(pharmacy, hosts))
  return (
    <Link to="/pharmacies/$pharmacyId" params={{ pharmacyId: pharmacy.id }} className="line problem">
      <span className={warn ? 'warn' : 'off'}><Sign name={warn ? 'warning' : 'cross'} /></span>
      <span className="strong ellipsis problem-name">{pharmacy.name}</span>
      <span className="ellipsis grow t2">{words}</span>
      <span className="t3 nowrap">{since && <Lasting since={since} />}</span>
    </Link>
  )
}

function ProblemGroup({ title, tone, rows, shown, hosts, link }: { title: string; tone: 'off' | 'warn' | 't2'; rows: Pharmacy[]; shown: number; hosts: ReadonlyMap<number, Host>; link: { state: string; opening?: string } }) {
  if (rows.length === 0) return null
  return (
    <>
      <p className="subhead"><span className={tone}>{title} {rows.length}</span>{rows.length > shown && <Link to="/pharmacies" search={link}>{t('dash.more_places', { n: rows.length - shown })}</Link>}</p>
      {rows.slice(0, shown).map((one) => <ProblemRow key={one.id} pharmacy={one} hosts={hosts} warn={tone === 'warn'} />)}
    </>
  )
}

function Problems({ pharmacies, hosts }: { pharmacies: readonly Pharmacy[]; hosts: ReadonlyMap<number, Host> }) {
  const { offlineOpen, offlineClosed, warning } = useMemo(() => problems(pharmacies, hosts), [pharmacies, hosts])
  const all = offlineOpen.length + offlineClosed.length + warning.length
  return (
    <section className="panel" aria-labelledby="problems-title">
      <header>
        <h2 id="problems-title">{t('dash.problems')}</h2>
        <span className="t2">{t('unit.places', { n: all })}</span>
        <Link to="/pharmacies" search={{ state: 'offline,warning' }}>{t('dash.all')}</Link>
      </header>
      {all === 0 && <p className="empty row-flex run"><Sign name="ok" /> {t('dash.no_problems')}</p>}
      <ProblemGroup title={t('dash.offline_open')} tone="off" rows={offlineOpen} shown={5} hosts={hosts} link={{ state: 'offline', opening: 'open' }} />
      <ProblemGroup title={t('dash.warnings')} tone="warn" rows={warning} shown={3} hosts={hosts} link={{ state: 'warning' }} />
      <ProblemGroup title={t('dash.offline_closed')} tone="t2" rows={offlineClosed} shown={Math.max(0, 8 - Math.min(5, offlineOpen.length) - Math.min(3, warning.length))} hosts={hosts} link={{ state: 'offline', opening: 'before,after,closed' }} />
    </section>
  )
}

const MEASURES: readonly Measure[] = ['cpu', 'memory', 'storage']

function Busiest({ hosts }: { hosts: readonly Host[] }) {
  return (
    <section className="panel" aria-labelledby="busy-title">
      <header><h2 id="busy-title">{t('dash.busiest')}</h2><Link to="/hosts" search={{ sort: '-cpu' }}>{t('dash.all_hosts')}</Link></header>
      <div className="busy">
        {MEASURES.map((measure) => (
          <div key={measure}>
            <h3 className="small t2">{t(`measure.${measure}`)}</h3>
            <ul>
              {busiest(hosts, measure, 4).map(([host, value]) => (
                <li key={host.id}>
                  <Link to="/pharmacies/$pharmacyId" params={{ pharmacyId: host.pharmacy_id }} className="busy-line">
                    <span className="ellipsis grow">{host.pharmacy_name}</span>
                    <span className={value >= 0.9 ? 'state warn strong' : ''}>{value >= 0.9 && <Sign name="warning" size={14} />}{percent(value)}</span>
                  </Link>
                  <span className={value >= 0.9 ? 'bar hot' : 'bar'}><i><b style={{ width: `${value * 100}%` }} /></i></span>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </section>
  )
}

function RunningJobs() {
  const jobs = useRows('jobs').filter((job) => job.state === 'running' || job.state === 'queued').toSorted((a, b) => b.id - a.id)
  return (
    <section className="panel" aria-labelledby="jobs-title">
      <header><h2 id="jobs-title">{t('dash.jobs')}</h2><span className="t2">{t('unit.rows', { n: jobs.length })}</span><Link to="/jobs">{t('nav.jobs')}</Link></header>
      {jobs.length === 0 && <p className="empty">{t('dash.no_jobs')}</p>}
      {jobs.slice(0, 4).map((job) => <JobLine key={job.id} job={job} />)}
      <NextRuns />
    </section>
  )
}

function JobLine({ job }: { job: Job }) {
  const { total, queued, running, failed } = job.counts
  const done = total - queued - running
  const title = t('dash.job_title', { verb: tMaybe(`verb.${job.verb}`) ?? job.verb, n: total })
  return (
    <Link to="/jobs" search={{ job: job.id }} className="job-line">
      <span className="row-flex"><span className="strong grow">{title}</span><span>{done} / {total}</span></span>
      <Progress done={done} total={total} label={title} />
      <span className="small t2">{failed > 0 && `${t('dash.job_failed', { n: failed })} · `}{job.actor.name} · <Ago at={job.created_at} /></span>
    </Link>
  )
}

function LatestEvents() {
  const events = useLatestEvents(undefined, 7)
  return (
    <section className="panel" aria-labelledby="events-title">
      <header><h2 id="events-title">{t('dash.events')}</h2><Link to="/events">{t('dash.all')}</Link></header>
      {events.length === 0 && <p className="empty">{t('dash.no_events')}</p>}
      {events.map((event) => {
        const { sign, tone, sentence } = eventWords(event)
        return (
          <p className="line" key={event.seq}>
            <time className="t3" dateTime={event.at}>{clockSeconds(event.at)}</time>
            <span className={tone}><Sign name={sign} /></span>
            <span className="ellipsis" title={sentence}>{sentence}</span>
          </p>
        )
      })}
    </section>
  )
}

export function DashboardPage() {
  const ready = useReady('places')
  const summary = useSummary()
  const pharmacies = useRows('pharmacies')
  const hostRows = useRows('hosts')
  const hosts = useMemo(() => new Map(hostRows.map((host) => [host.id, host])), [hostRows])
  useNow(60_000)
  if (!ready || !summary) return <main className="page" aria-busy="true"><p className="t3" role="status">{t('link.connecting')}</p></main>
  return (
    <main className="page">
      <Verdict summary={summary} pharmacies={pharmacies} />
      <Cards summary={summary} pharmacies={pharmacies} />
      <div className="dash-middle">
        <FleetMap pharmacies={pharmacies} hosts={hosts} />
        <Problems pharmacies={pharmacies} hosts={hosts} />
      </div>
      <div className="dash-foot">
        <Busiest hosts={hostRows} />
        <RunningJobs />
        <LatestEvents />
      </div>
    </main>
  )
}
