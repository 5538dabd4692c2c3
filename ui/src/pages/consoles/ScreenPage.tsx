import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'

import { closeConsole, ensureOnly, useConsoleTabs } from '@/consoles/tabs'
import { t } from '@/i18n'
import { useVm } from '@/live/store'
import { PowerLayer } from '@/power/PowerLayer'

import { useFullScreen } from './full-screen'
import { Tile } from './Tile'
import { Toolbar } from './Toolbar'

import './consoles.css'

/** One console in a window of its own. */
export function ScreenPage() {
  const { vmId } = useParams({ from: '/screen/$vmId' })
  const tab = useConsoleTabs().find((one) => one.vmId === vmId)
  const vm = useVm(vmId)
  const [full, toggleFull] = useFullScreen()
  useEffect(() => {
    ensureOnly(vmId)
    return () => closeConsole(vmId)
  }, [vmId])
  return (
    <main className="consoles alone">
      {vm && <title>{`${vm.pharmacy_name} ${vm.vm_name} · PharmQ`}</title>}
      <h1 className="sr">{vm ? `${vm.pharmacy_name} ${vm.vm_name}` : t('nav.consoles')}</h1>
      {tab && <Toolbar tab={tab} full={full} onFull={toggleFull} />}
      <div className="tiles t1">{tab && <Tile tab={tab} framed head={false} onFrame={() => {}} />}</div>
      <PowerLayer />
    </main>
  )
}
