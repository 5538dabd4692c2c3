import { Modal } from '@mantine/core'
import { useEffect, useState } from 'react'

import { api, ApiError } from '@/api/client'
import type { CheckLine } from '@/api/types'
import { explain, t, tMaybe } from '@/i18n'
import { clockSeconds } from '@/i18n/format'
import { useVm } from '@/live/store'
import { Failure, threeParts } from '@/parts/Failure'
import { Icon, Sign } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

const SIGNS = { running: <span className="turn t3"><Sign name="turning" /></span>, ok: <span className="run"><Sign name="ok" /></span>, failed: <span className="off"><Sign name="cross" /></span>, skipped: <span className="t3"><Sign name="unknown" /></span> }

const title = (step: string): string => explain(`console_check.${step}`)?.title ?? step
const took = (ms: number | null): string => (ms === null ? '' : ms < 1000 ? t('console.check.ms', { n: ms }) : t('console.check.s', { n: (ms / 1000).toFixed(1) }))
const facts = (line: CheckLine): string => Object.entries(line.facts).map(([name, value]) => `${tMaybe(`console.check.fact.${name}`) ?? name}: ${value}`).join(' · ')
const problem = (line: CheckLine): ApiError | undefined => (line.code ? new ApiError(0, line.code, line.params) : undefined)

/** As read out to a colleague or sent to one. */
export function asText(name: string, at: Date, lines: readonly CheckLine[]): string {
  const rows = lines.map((line) => {
    const error = problem(line)
    const parts = error && threeParts(error)
    return [`${t(`console.check.state.${line.state}`)}  ${title(line.step)}  ${took(line.ms)}`.trim(), facts(line), parts && `${parts.why} ${parts.remedy} (${parts.code})`].filter(Boolean).join('\n    ')
  })
  return [`${name}  ${clockSeconds(at.toISOString())}`, ...rows].join('\n')
}

/** Lines as they come: a step's later line takes the place of its earlier one. */
export function withLine(lines: readonly CheckLine[], line: CheckLine): CheckLine[] {
  const at = lines.findIndex((one) => one.step === line.step)
  return at < 0 ? [...lines, line] : lines.with(at, line)
}

function Step({ line }: { line: CheckLine }) {
  const error = problem(line)
  const said = explain(`console_check.${line.step}`)
  return (
    <li className={line.state === 'skipped' ? 'check-step t3' : 'check-step'}>
      {SIGNS[line.state]}
      <span className="strong">{title(line.step)}<span className="sr"> {t(`console.check.state.${line.state}`)}</span></span>
      <span className="small t2 num">{took(line.ms)}</span>
      {line.state === 'running' && <span className="small t2 wide">{said?.why}</span>}
      {line.state === 'ok' && Object.keys(line.facts).length > 0 && <span className="small t3 wide ellipsis" title={facts(line)}>{facts(line)}</span>}
      {error && <div className="wide"><Failure error={error} /><p className="small t2">{said?.remedy}</p></div>}
    </li>
  )
}

async function follow(vmId: number, signal: AbortSignal, take: (line: CheckLine) => void, end: (error?: unknown) => void): Promise<void> {
  try {
    for await (const line of api.lines<CheckLine>(`/api/vms/${vmId}/console-check`, { signal })) if (!signal.aborted) take(line)
    if (!signal.aborted) end()
  } catch (error) {
    if (!signal.aborted) end(error)
  }
}

function Run({ vmId, name, onAgain }: { vmId: number; name: string; onAgain: () => void }) {
  const [at] = useState(() => new Date())
  const [lines, setLines] = useState<readonly CheckLine[]>([])
  const [error, setError] = useState<unknown>()
  const [done, setDone] = useState(false)
  useEffect(() => {
    const stop = new AbortController()
    const end = (caught?: unknown) => {
      setError(caught)
      setDone(true)
    }
    void follow(vmId, stop.signal, (line) => setLines((before) => withLine(before, line)), end)
    return () => stop.abort()
  }, [vmId])
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(asText(name, at, lines))
      notifyDone(t('console.clipboard.copied'))
    } catch {
      notifyFailed(new ApiError(0, 'ui.clipboard_refused'))
    }
  }
  const failed = lines.some((line) => line.state === 'failed')
  return (
    <div className="form">
      <Failure error={error} />
      <ol className="check" aria-busy={!done}>{lines.map((line) => <Step key={line.step} line={line} />)}</ol>
      <p role="status" className={failed ? 'off' : 'run'}>{done && !error && t(failed ? 'console.check.failed' : 'console.check.good')}</p>
      <div className="form-foot">
        <button type="button" className="btn" disabled={lines.length === 0} onClick={() => void copy()}><Icon name="copy" />{t('console.check.copy')}</button>
        <button type="button" className="btn" disabled={!done} onClick={onAgain}><Icon name="refresh" />{t('console.check.again')}</button>
      </div>
    </div>
  )
}

/** Runs every step of opening a VM's screen and shows each as it happens. */
export function CheckDialog({ vmId, onClose }: { vmId: number; onClose: () => void }) {
  const vm = useVm(vmId)
  const [number, setNumber] = useState(1)
  const name = `${vm?.pharmacy_name ?? ''} ${vm?.vm_name ?? ''}`
  return (
    <Modal opened onClose={onClose} title={t('console.check.title', { vm: name })} size={640}>
      <Run key={number} vmId={vmId} name={name} onAgain={() => setNumber(number + 1)} />
    </Modal>
  )
}
