import { Modal } from '@mantine/core'
import { useState } from 'react'

import { api } from '@/api/client'
import type { Job, JobItem, List } from '@/api/types'
import { t } from '@/i18n'
import { Failure } from '@/parts/Failure'
import { askOrder } from '@/power/ask'

import { retryable } from './model'

const PAGE = 1000
type State = ReturnType<typeof retryable>[number][0]

async function itemsIn(job: Job, states: readonly State[]): Promise<JobItem[]> {
  const all: JobItem[] = []
  for (;;) {
    const { items, total } = await api.get<List<JobItem>>(`/api/jobs/${job.id}/items`, { query: { state: states, limit: PAGE, offset: all.length } })
    all.push(...items)
    if (items.length === 0 || all.length >= total) return all
  }
}

/** The same again for those of an ended job that failed, are unknown or were cancelled: asked like any other act. */
export function Again({ job, onClose, onMade }: { job: Job; onClose: () => void; onMade: (jobId: number) => void }) {
  const choices = retryable(job.counts)
  const [states, setStates] = useState<readonly State[]>(() => [choices.find(([state]) => state !== 'unknown')?.[0] ?? 'unknown'])
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const ask = async (event: React.SyntheticEvent) => {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      const items = await itemsIn(job, states)
      const { verb, force, options, timeout_s } = job
      const body = { force, options, ...(timeout_s ? { timeout_s } : {}), vms: items.map(({ host_id, vmid }) => ({ host_id, vmid })) }
      onClose()
      askOrder({
        order: { how: { verb: verb === 'stop' && !force ? 'shutdown' : verb, force, timeout_s, options }, body },
        send: async () => (await api.post<{ job: Job }>(`/api/jobs/${job.id}/retry`, { states })).job,
        then: onMade,
      })
    } catch (caught) {
      setError(caught)
      setBusy(false)
    }
  }
  const turn = (state: State) => setStates(states.includes(state) ? states.filter((one) => one !== state) : [...states, state])
  return (
    <Modal opened onClose={onClose} title={t('jobs.again_title')} size={440}>
      <form className="form" onSubmit={(event) => void ask(event)}>
        {choices.map(([state, n]) => (
          <label key={state} className="row-flex">
            <input type="checkbox" className="pick" checked={states.includes(state)} onChange={() => turn(state)} />
            <span>{t(`jobs.item.${state}`)} {t('unit.machines', { n })}{state === 'unknown' && <span className="small t2"> · {t('jobs.again_unknown')}</span>}</span>
          </label>
        ))}
        <Failure error={error} />
        <div className="form-foot"><button type="button" className="btn" onClick={onClose}>{t('act.cancel')}</button><button type="submit" className="btn main" disabled={busy || states.length === 0}>{t('act.next')}</button></div>
      </form>
    </Modal>
  )
}
