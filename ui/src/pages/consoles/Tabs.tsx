import { useEffect, useRef, useState } from 'react'

import { namesOf, useNames } from '@/consoles/names'
import { moveConsole, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { threeParts } from '@/parts/Failure'
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
  const { pharmacy, name } = useNames(tab)
  const tone = tab.state === 'lost' ? 'off' : tab.state === 'connected' || tab.state === 'view_only' ? 'run' : 't3'
  const reason = tab.state === 'lost' && tab.error ? `${t('console.lost_because', { why: threeParts(tab.error).why })}\n` : ''
  const item = useRef<HTMLLIElement>(null)
  useEffect(() => {
    if (on) item.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [on])
  const step = (event: React.KeyboardEvent) => {
    if (!event.shiftKey || (event.code !== 'ArrowLeft' && event.code !== 'ArrowRight')) return
    event.preventDefault()
    onStep(event.code === 'ArrowLeft' ? -1 : 1)
  }
  return (
    <li ref={item} draggable {...drag} className={`console-tab ${on ? 'on' : ''} ${drag.className}`}>
      <button type="button" aria-current={on || undefined} aria-keyshortcuts="Shift+ArrowLeft Shift+ArrowRight" title={`${reason}${t('console.move_hint')}`} onClick={onPick} onKeyDown={step} onAuxClick={(event) => event.button === 1 && onClose()}>
        <ConsoleSign state={tab.state} />
        <span className="strong ellipsis">{name}</span>
        <span className={`small nowrap ${tone}`}>{t(`console.state.${tab.state}`)}</span>
        <span className="small t2 ellipsis">{pharmacy}</span>
      </button>
      <button type="button" className="console-close" aria-label={`${pharmacy} ${name} ${t('console.close')}`} onClick={onClose}><Icon name="close" size={14} /></button>
    </li>
  )
}

/** The open consoles like a browser's tabs; moved by dragging or by Shift and the arrows. */
export function Tabs({ tabs, framed, onPick, onClose }: { tabs: readonly ConsoleTab[]; framed: string; onPick: (key: string) => void; onClose: (key: string) => void }) {
  const [dragged, setDragged] = useState<string>()
  const [over, setOver] = useState<number>()
  const [said, setSaid] = useState('')
  const move = (key: string, to: number) => {
    if (to < 0 || to >= tabs.length) return
    moveConsole(key, to)
    const tab = tabs.find((one) => one.key === key)
    if (tab) setSaid(t('console.moved', { name: namesOf(tab).name, n: to + 1 }))
  }
  const end = () => {
    setDragged(undefined)
    setOver(undefined)
  }
  const dragOf = (key: string, at: number) => ({
    className: dragged === key ? 'dragged' : over === at ? 'over' : '',
    onDragStart: (event: React.DragEvent) => {
      event.dataTransfer.effectAllowed = 'move'
      event.dataTransfer.setData('text/plain', '')
      setDragged(key)
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
          <Tab key={tab.key} tab={tab} on={tab.key === framed} onPick={() => onPick(tab.key)} onClose={() => onClose(tab.key)} onStep={(by) => move(tab.key, at + by)} drag={dragOf(tab.key, at)} />
        ))}
      </ul>
      <span className="sr" role="status">{said}</span>
    </>
  )
}
