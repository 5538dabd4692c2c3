import { useState } from 'react'

import { moveConsole, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { store, useVm } from '@/live/store'
import { Icon } from '@/parts/Icon'

import { ConsoleSign } from './ConsoleSign'

interface TabProps {
  tab: ConsoleTab
  on: boolean
  onPick: () => void
  onClose: () => void
  onStep: (by: -1 | 1) => void
  drag: React.HTMLAttributes<HTMLLIElement> & { className: string }
}

function Tab({ tab, on, onPick, onClose, onStep, drag }: TabProps) {
  const vm = useVm(tab.vmId)
  const tone = tab.state === 'lost' ? 'off' : tab.state === 'connected' || tab.state === 'view_only' ? 'run' : 't3'
  const step = (event: React.KeyboardEvent) => {
    if (!event.shiftKey || (event.code !== 'ArrowLeft' && event.code !== 'ArrowRight')) return
    event.preventDefault()
    onStep(event.code === 'ArrowLeft' ? -1 : 1)
  }
  return (
    <li draggable {...drag} className={`console-tab ${on ? 'on' : ''} ${drag.className}`}>
      <button type="button" aria-current={on || undefined} aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight" title={t('console.move_hint')} onClick={onPick} onKeyDown={step} onAuxClick={(event) => event.button === 1 && onClose()}>
        <ConsoleSign state={tab.state} />
        <span className="strong ellipsis">{vm?.vm_name ?? '–'}</span>
        <span className={`small nowrap ${tone}`}>{t(`console.state.${tab.state}`)}</span>
        <span className="small t2 ellipsis">{vm?.pharmacy_name}</span>
      </button>
      <button type="button" className="console-close" aria-label={`${vm?.pharmacy_name ?? ''} ${vm?.vm_name ?? ''} ${t('console.close')}`} onClick={onClose}><Icon name="close" size={14} /></button>
    </li>
  )
}

/** The open consoles like a browser's tabs; moved by dragging or by Shift and the arrows. */
export function Tabs({ tabs, framed, onPick, onClose }: { tabs: readonly ConsoleTab[]; framed: number; onPick: (vmId: number) => void; onClose: (vmId: number) => void }) {
  const [dragged, setDragged] = useState<number>()
  const [over, setOver] = useState<number>()
  const [said, setSaid] = useState('')
  const move = (vmId: number, to: number) => {
    if (to < 0 || to >= tabs.length) return
    moveConsole(vmId, to)
    setSaid(t('console.moved', { name: store.row('vms', vmId)?.vm_name, n: to + 1 }))
  }
  const end = () => {
    setDragged(undefined)
    setOver(undefined)
  }
  const dragOf = (vmId: number, at: number) => ({
    className: dragged === vmId ? 'dragged' : over === at ? 'over' : '',
    onDragStart: (event: React.DragEvent) => {
      event.dataTransfer.effectAllowed = 'move'
      event.dataTransfer.setData('text/plain', '')
      setDragged(vmId)
    },
    onDragOver: (event: React.DragEvent) => {
      if (dragged === undefined) return
      event.preventDefault()
      setOver(at)
    },
    onDrop: (event: React.DragEvent) => {
      event.preventDefault()
      if (dragged !== undefined) move(dragged, at)
      end()
    },
    onDragEnd: end,
  })
  return (
    <>
      <ul aria-label={t('nav.open_consoles')}>
        {tabs.map((tab, at) => (
          <Tab key={tab.vmId} tab={tab} on={tab.vmId === framed} onPick={() => onPick(tab.vmId)} onClose={() => onClose(tab.vmId)} onStep={(by) => move(tab.vmId, at + by)} drag={dragOf(tab.vmId, at)} />
        ))}
      </ul>
      <span className="sr" role="status">{said}</span>
    </>
  )
}
