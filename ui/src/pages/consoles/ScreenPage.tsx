import { useSuspenseQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'

import { LockScreen, useIdleLock } from '@/access/LockScreen'
import { Reauth } from '@/access/Reauth'
import { sessionQuery } from '@/app/session'
import { useNames } from '@/consoles/names'
import { closeConsole, ensureOnly, useConsoleTabs, type ConsoleTab } from '@/consoles/tabs'
import { PowerLayer } from '@/power/PowerLayer'

import { useFullScreen, useKeyboardUp } from './full-screen'
import { KeyBar } from './KeyBar'
import { Tile } from './Tile'
import { Toolbar } from './Toolbar'

import './consoles.css'

function Alone({ tab }: { tab: ConsoleTab }) {
  const { pharmacy, name } = useNames(tab)
  const [full, toggleFull] = useFullScreen()
  const typing = useKeyboardUp()
  return (
    <main className={typing ? 'consoles alone typing' : 'consoles alone'}>
      <title>{`${pharmacy} ${name} · PharmQ`}</title>
      <h1 className="sr">{`${pharmacy} ${name}`}</h1>
      <Toolbar tab={tab} full={full} onFull={toggleFull} />
      <div className="tiles t1"><Tile tab={tab} framed head={false} onFrame={() => {}} /></div>
      <KeyBar tab={tab} />
      <PowerLayer />
      <Reauth />
    </main>
  )
}

function Open({ at, lockMinutes }: { at: string; lockMinutes: number }) {
  useIdleLock(lockMinutes)
  const tab = useConsoleTabs().find((one) => one.key === at)
  useEffect(() => {
    ensureOnly(at)
    return () => closeConsole(at)
  }, [at])
  return tab ? <Alone tab={tab} /> : null
}

/** One console in a window of its own. */
export function ScreenPage() {
  const { at } = useParams({ from: '/screen/$at' })
  const { data: session } = useSuspenseQuery(sessionQuery)
  if (session?.locked) return <LockScreen session={session} />
  return <Open at={at} lockMinutes={session?.lock_minutes ?? 0} />
}
