import { Modal } from '@mantine/core'
import { useCallback, useEffect, useState } from 'react'

import { api } from '@/api/client'
import type { Job, Verb } from '@/api/types'
import { t } from '@/i18n'
import { store } from '@/live/store'
import { Failure } from '@/parts/Failure'
import { notifyDone, notifyFailed } from '@/parts/notify'

import { endAsk, usePowerAsk, type PowerAsk } from './ask'

const HARMLESS: ReadonlySet<Verb> = new Set(['start', 'resume'])

async function send({ verb, vmIds, then }: PowerAsk): Promise<void> {
  const vms = vmIds.map((id) => store.row('vms', id)).filter((vm) => vm !== undefined).map(({ host_id, vmid }) => ({ host_id, vmid }))
  const path = verb === 'shutdown' ? 'stop' : verb
  const job = await api.post<Job | { job: Job }>(`/api/vms/batch/${path}`, { vms, ...(verb === 'stop' ? { force: true } : {}) })
  notifyDone(t('power.sent', { verb: t(`verb.${verb}`) }))
  then?.('job' in job ? job.job.id : job.id)
}

/** Shows the question of the current `askPower`; mounted once in the shell. */
export function PowerLayer() {
  const ask = usePowerAsk()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const quiet = ask !== null && ask.vmIds.length === 1 && HARMLESS.has(ask.verb)
  const act = useCallback(async (which: PowerAsk) => {
    setBusy(true)
    setError(undefined)
    try {
      await send(which)
      endAsk()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }, [])
  useEffect(() => {
    if (!ask || !quiet) return
    endAsk()
    send(ask).catch(notifyFailed)
  }, [ask, quiet])
  if (!ask || quiet) return null
  const first = store.row('vms', ask.vmIds[0] ?? 0)
  const name = first ? `${first.pharmacy_name} ${first.vm_name}` : ''
  const verb = t(`verb.${ask.verb}`)
  return (
    <Modal opened onClose={endAsk} title={t('power.ask', { name, verb })}>
      <Failure error={error} />
      <div className="row-flex">
        <button type="button" className="btn" onClick={endAsk}>{t('act.cancel')}</button>
        <button type="button" className="btn main" disabled={busy} onClick={() => void act(ask)}>{verb}</button>
      </div>
    </Modal>
  )
}
