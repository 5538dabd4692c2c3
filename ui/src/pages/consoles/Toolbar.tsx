import { Menu } from '@mantine/core'

import type { Verb } from '@/api/types'
import { COMBINATIONS, CTRL_ALT_DEL } from '@/consoles/keys'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { useVm } from '@/live/store'
import { Icon } from '@/parts/Icon'
import { askPower } from '@/power/ask'

import { TouchKeyboard } from './TouchKeyboard'

const POWER: readonly Verb[] = ['start', 'shutdown', 'reboot', 'stop', 'reset']
const COMES_BACK: ReadonlySet<Verb> = new Set(['start', 'reboot', 'reset'])

/** Acts on the framed console. */
export function Toolbar({ tab, full, onFull }: { tab: ConsoleTab; full: boolean; onFull: () => void }) {
  const vm = useVm(tab.vmId)
  const screen = screenOf(tab.vmId)
  const live = tab.state === 'connected'
  const running = vm?.status === 'running'
  const can = (verb: Verb) => !!vm && !vm.stale && !vm.task && (verb === 'start' ? !running : running) && !(verb === 'reset' && vm.guest_type === 'lxc')
  const power = (verb: Verb) => askPower(verb, [tab.vmId], () => COMES_BACK.has(verb) && screenOf(tab.vmId)?.expectBack())
  return (
    <div className="console-bar" role="toolbar" aria-label={t('console.toolbar')}>
      <span className="name"><span className="strong">{vm?.pharmacy_name}</span> <span className="t2">{vm?.vm_name}</span></span>
      <span className="rule" />
      <TouchKeyboard vmId={tab.vmId} disabled={!live} />
      <button type="button" className="btn ghost" disabled={!live} onClick={() => screen?.press(CTRL_ALT_DEL)}><Icon name="keyboard" />Ctrl-Alt-Del</button>
      <Menu position="bottom-start" returnFocus={false}>
        <Menu.Target><button type="button" className="btn ghost" disabled={!live}>{t('console.keys')}<Icon name="down" size={12} /></button></Menu.Target>
        <Menu.Dropdown>{COMBINATIONS.map(([label, keys]) => <Menu.Item key={label} onClick={() => screen?.press(keys)}>{label}</Menu.Item>)}</Menu.Dropdown>
      </Menu>
      <span className="rule" />
      <button type="button" className="btn ghost" aria-pressed={tab.fit} onClick={() => screen?.setFit(!tab.fit)}><Icon name="fit" />{t(tab.fit ? 'console.fit' : 'console.actual')}</button>
      <button type="button" className="btn ghost" aria-pressed={tab.viewOnly} onClick={() => screen?.setViewOnly(!tab.viewOnly)}><Icon name="eye" />{t('console.view_only')}</button>
      <span className="rule" />
      <button type="button" className="btn ghost icon" aria-label={t('console.reconnect')} title={t('console.reconnect')} onClick={() => screen?.reconnect()}><Icon name="refresh" /></button>
      <button type="button" className="btn ghost icon" aria-pressed={full} aria-label={t(full ? 'console.leave_full' : 'console.full')} title={t(full ? 'console.leave_full' : 'console.full')} onClick={onFull}><Icon name="full" /></button>
      <span className="rule" />
      <Menu position="bottom-start">
        <Menu.Target><button type="button" className="btn ghost"><Icon name="power" />{t('console.power')}<Icon name="down" size={12} /></button></Menu.Target>
        <Menu.Dropdown>
          {POWER.map((verb) => <Menu.Item key={verb} disabled={!can(verb)} onClick={() => power(verb)}>{t(`verb.${verb}`)}</Menu.Item>)}
        </Menu.Dropdown>
      </Menu>
      {vm?.task && <span className="small t2 nowrap" role="status">{t('vm.task', { verb: t(`verb.${vm.task.verb}`) })}</span>}
    </div>
  )
}
