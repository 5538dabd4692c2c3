import { Menu } from '@mantine/core'
import { useState } from 'react'

import { api, ApiError } from '@/api/client'
import type { Viewer } from '@/api/types'
import { useSession } from '@/consoles/may'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { since } from '@/i18n/format'
import { useNow, useViewers, useVm } from '@/live/store'
import { Confirm } from '@/parts/Confirm'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'

/** Everybody else on the screen, one entry for each person: who controls first. */
export function othersOn(viewers: readonly Viewer[], userId: number | undefined): Viewer[] {
  const people = new Map<number | null, Viewer>()
  for (const one of viewers) {
    if (one.kind !== 'screen' || one.user_id === userId) continue
    const known = people.get(one.user_id)
    if (!known || (known.mode === 'view' && one.mode === 'control')) people.set(one.user_id, one)
  }
  return [...people.values()].toSorted((a, b) => Number(b.mode === 'control') - Number(a.mode === 'control'))
}

function Person({ one, mayGive, onGive }: { one: Viewer; mayGive: boolean; onGive: (to: Viewer) => void }) {
  const now = useNow(10_000)
  const words = t(one.mode === 'control' ? 'console.controls' : 'console.watches', { name: one.name })
  if (!mayGive) return <span className={one.mode === 'control' ? 'tag' : 'tag plain'} title={t('console.since', { since: since(one.since, now) })}><Icon name={one.mode === 'control' ? 'person' : 'eye'} size={14} />{words}</span>
  return (
    <Menu position="bottom-start">
      <Menu.Target><button type="button" className="tag plain person" title={t('console.since', { since: since(one.since, now) })}><Icon name="eye" size={14} />{words}<Icon name="down" size={12} /></button></Menu.Target>
      <Menu.Dropdown><Menu.Item onClick={() => onGive(one)}>{t('console.give', { name: one.name })}</Menu.Item></Menu.Dropdown>
    </Menu>
  )
}

/** Who else is on this screen, and whose hand is on the keys: taken over with a question, given away without one. */
export function People({ tab }: { tab: ConsoleTab }) {
  const [asking, setAsking] = useState(false)
  const session = useSession()
  const vm = useVm(tab.vmId)
  const viewers = useViewers(tab.kind === 'screen' ? tab.vmId : undefined)?.viewers ?? []
  const others = othersOn(viewers, session?.user.id)
  if (others.length === 0) return null
  const controller = others.find((one) => one.mode === 'control')
  const watching = tab.state === 'view_only'
  const give = async (to: Viewer) => {
    try {
      await api.put(`/api/vnc/sessions/${to.session_key}/mode`, { mode: 'control' })
      notifyDone(t('console.given', { name: to.name }))
    } catch (error) {
      notifyFailed(error)
    }
  }
  return (
    <span className="people">
      {others.slice(0, 3).map((one) => <Person key={one.session_key} one={one} mayGive={tab.state === 'connected' && one.mode === 'view'} onGive={(to) => void give(to)} />)}
      {others.length > 3 && <span className="small t2">{t('console.more_people', { n: others.length - 3 })}</span>}
      {watching && controller && !tab.mayOnlyView && <button type="button" className="btn in-row" onClick={() => setAsking(true)}>{t('console.take')}</button>}
      {asking && controller && (
        <Confirm
          title={t('console.take_question', { name: controller.name })}
          detail={<p>{t('console.take_detail', { vm: `${vm?.pharmacy_name ?? ''} ${vm?.vm_name ?? ''}`, name: controller.name })}</p>}
          button={t('console.take')}
          act={() => screenOf(tab.key)?.setViewOnly(false, true) ?? Promise.resolve()}
          onClose={() => setAsking(false)}
        />
      )}
    </span>
  )
}

/** Watch only, or control again. Somebody else's control is only taken over by [조작 가져오기]. */
export async function toggleViewOnly(tab: ConsoleTab): Promise<void> {
  try {
    await screenOf(tab.key)?.setViewOnly(tab.state !== 'view_only')
  } catch (error) {
    if (error instanceof ApiError) notifyFailed(error)
    else throw error
  }
}
