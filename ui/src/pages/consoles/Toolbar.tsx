import { Menu } from '@mantine/core'
import { lazy, Suspense, useState } from 'react'

import { api, ApiError } from '@/api/client'
import type { Verb } from '@/api/types'
import { CTRL_ALT_DEL } from '@/consoles/keys'
import { useMay, useSession } from '@/consoles/may'
import { useNames } from '@/consoles/names'
import { fileName, markedPicture, saveFile } from '@/consoles/screenshot'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { useVm } from '@/live/store'
import { Icon } from '@/parts/Icon'
import { notifyDone, notifyFailed } from '@/parts/notify'
import { askPower } from '@/power/ask'

import { Feel } from './Feel'
import { KeysMenu } from './KeysMenu'
import { People, toggleViewOnly } from './People'
import { TerminalTools } from './TerminalTools'
import { ViewMenu } from './ViewMenu'

const PasteDialog = lazy(async () => ({ default: (await import('./PasteDialog')).PasteDialog }))
const ClipboardDialog = lazy(async () => ({ default: (await import('./ClipboardDialog')).ClipboardDialog }))

const POWER: readonly Verb[] = ['start', 'shutdown', 'reboot', 'stop', 'reset']
const COMES_BACK: ReadonlySet<Verb> = new Set(['start', 'reboot', 'reset'])

/** Keys and text into the guest. */
function Keys({ tab }: { tab: ConsoleTab }) {
  const [pasting, setPasting] = useState(false)
  const live = tab.state === 'connected'
  return (
    <>
      <button type="button" className="btn ghost" disabled={!live} onClick={() => screenOf(tab.key)?.hands?.press(CTRL_ALT_DEL)}><Icon name="keyboard" />Ctrl-Alt-Del</button>
      <KeysMenu at={tab.key} disabled={!live} />
      <button type="button" className="btn ghost" disabled={!live} onClick={() => setPasting(true)}><Icon name="paste" />{t('console.paste')}</button>
      {pasting && <Suspense><PasteDialog tab={tab} onClose={() => setPasting(false)} /></Suspense>}
    </>
  )
}

/** What leaves the guest: its clipboard and its picture, each by a privilege of its own. */
function Out({ tab }: { tab: ConsoleTab }) {
  const [reading, setReading] = useState(false)
  const [seen, setSeen] = useState(0)
  const vm = useVm(tab.vmId)
  const session = useSession()
  const mayRead = useMay('console.clipboard')
  const mayShoot = useMay('console.screenshot')
  const { clipboard } = tab
  const fresh = clipboard !== undefined && clipboard.at > seen
  const read = () => {
    setSeen(clipboard?.at ?? 0)
    setReading(true)
  }
  const shoot = async () => {
    const picture = screenOf(tab.key)?.hands?.picture()
    if (!picture || !session) return notifyFailed(new ApiError(0, 'ui.no_picture_yet'))
    const { name, display_name: shown } = session.user
    const mark = { pharmacy: vm?.pharmacy_name ?? '', vm: vm?.vm_name ?? '', by: shown && shown !== name ? `${shown} (${name})` : name, at: new Date() }
    try {
      const marked = await markedPicture(picture, mark)
      // What leaves a pharmacy's screen is in the audit before it is a file.
      if (tab.vmId) await api.post(`/api/vms/${tab.vmId}/screenshot`)
      saveFile(marked, fileName(mark))
      notifyDone(t('console.screenshot.done'))
    } catch (error) {
      notifyFailed(error)
    }
  }
  return (
    <>
      {mayRead && clipboard && (
        <button type="button" className="btn ghost" title={fresh ? t('console.clipboard.fresh') : undefined} onClick={read}>
          <Icon name="copy" />{t('console.clipboard')}{fresh && <span className="fresh" role="img" aria-label={t('console.clipboard.fresh')} />}
        </button>
      )}
      {mayShoot && <button type="button" className="btn ghost" disabled={tab.state !== 'connected' && tab.state !== 'view_only'} onClick={() => void shoot()}><Icon name="camera" />{t('console.screenshot')}</button>}
      {reading && clipboard && <Suspense><ClipboardDialog clipboard={clipboard} onClose={() => setReading(false)} /></Suspense>}
    </>
  )
}

function Power({ tab }: { tab: ConsoleTab }) {
  const vm = useVm(tab.vmId)
  const running = vm?.status === 'running'
  const can = (verb: Verb) => !!vm && !vm.stale && !vm.task && (verb === 'start' ? !running : running) && !(verb === 'reset' && vm.guest_type === 'lxc')
  const power = (verb: Verb) => askPower(verb, [tab.vmId], () => COMES_BACK.has(verb) && screenOf(tab.key)?.expectBack())
  return (
    <>
      <Menu position="bottom-start">
        <Menu.Target><button type="button" className="btn ghost"><Icon name="power" />{t('console.power')}<Icon name="down" size={12} /></button></Menu.Target>
        <Menu.Dropdown>
          {POWER.map((verb) => <Menu.Item key={verb} disabled={!can(verb)} onClick={() => power(verb)}>{t(`verb.${verb}`)}</Menu.Item>)}
        </Menu.Dropdown>
      </Menu>
      {vm?.task && <span className="small t2 nowrap" role="status">{t('vm.task', { verb: t(`verb.${vm.task.verb}`) })}</span>}
    </>
  )
}

function ScreenTools({ tab }: { tab: ConsoleTab }) {
  const pressed = tab.viewOnly || tab.state === 'view_only'
  return (
    <>
      <Keys tab={tab} />
      <span className="rule" />
      <ViewMenu tab={tab} />
      <button type="button" className="btn ghost" aria-pressed={pressed} disabled={tab.mayOnlyView} title={tab.mayOnlyView ? t('console.only_view') : undefined} onClick={() => void toggleViewOnly(tab)}><Icon name="eye" />{t('console.view_only')}</button>
      <Out tab={tab} />
    </>
  )
}

interface Props {
  tab: ConsoleTab
  full: boolean
  onFull: () => void
  /** Who else is there is told here where the tiles have no heads. */
  people?: boolean
  /** Missing where the console has a window of its own already. */
  onPopOut?: () => void
}

/** Acts on the framed console. */
export function Toolbar({ tab, full, onFull, people = true, onPopOut }: Props) {
  const { pharmacy, name } = useNames(tab)
  const screen = screenOf(tab.key)
  const fullWord = t(full ? 'console.leave_full' : 'console.full')
  return (
    <div className="console-bar" role="toolbar" aria-label={t('console.toolbar')}>
      <span className="name"><span className="strong">{pharmacy}</span> <span className="t2">{name}</span></span>
      {people && <People tab={tab} />}
      <span className="rule" />
      {tab.kind === 'screen' ? <ScreenTools tab={tab} /> : <TerminalTools tab={tab} />}
      <span className="rule" />
      <button type="button" className="btn ghost icon" aria-label={t('console.reconnect')} title={t('console.reconnect')} onClick={() => screen?.reconnect()}><Icon name="refresh" /></button>
      {onPopOut && <button type="button" className="btn ghost icon phone-hide" aria-label={t('console.pop_out')} title={t('console.pop_out')} onClick={onPopOut}><Icon name="external" /></button>}
      <button type="button" className="btn ghost icon" aria-pressed={full} aria-label={fullWord} title={fullWord} onClick={onFull}><Icon name="full" /></button>
      <span className="rule" />
      {tab.vmId > 0 && <Power tab={tab} />}
      <Feel at={tab.key} />
    </div>
  )
}
