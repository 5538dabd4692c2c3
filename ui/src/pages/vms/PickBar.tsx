import { Menu } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'

import type { JobVerb, Verb, Vm } from '@/api/types'
import { MOST_AT_ONCE, openConsoles } from '@/consoles/tabs'
import { t } from '@/i18n'
import { count } from '@/i18n/format'
import { store } from '@/live/store'
import { Icon, type IconName } from '@/parts/Icon'
import { askPower } from '@/power/ask'
import { choiceSearch, keepChoice } from '@/power/choice'

import { allowed, hasScreen } from './acts'

const FIRST: readonly (readonly [Verb, IconName])[] = [['start', 'right'], ['shutdown', 'power'], ['reboot', 'refresh']]
const MORE: readonly Verb[] = ['stop', 'reset', 'suspend', 'resume']
/** These want to know more: the form of jobs asks. */
const FORM: readonly JobVerb[] = ['snapshot', 'backup']

interface Props {
  vms: readonly Vm[]
  /** How many of them the filters hide now. */
  hidden: number
  onClear: () => void
}

/** What is selected, and what to do with it. */
export function PickBar({ vms, hidden, onClear }: Props) {
  const places = useMemo(() => new Set(vms.map((vm) => vm.pharmacy_id)), [vms])
  const open = [...places].filter((id) => store.row('pharmacies', id)?.opening.state === 'open').length
  const screens = vms.filter(hasScreen)
  const ids = useMemo(() => vms.map((vm) => vm.id), [vms])
  const chosen = useMemo(() => choiceSearch(ids), [ids])
  const can = (verb: Verb) => vms.some((vm) => allowed(vm, verb))
  const shown = Math.min(screens.length, MOST_AT_ONCE)
  return (
    <div className="pick-bar" role="region" aria-label={t('vms.selection')}>
      <span className="strong" role="status">{t('vms.selected', { n: count(vms.length) })}</span>
      <span className="says phone-hide">{t('vms.selected_places', { n: places.size })}{open > 0 && ` · ${open === places.size && open > 1 ? t('vms.all_open', { n: open }) : t('vms.some_open', { n: open })}`}{hidden > 0 && ` · ${t('vms.selected_hidden', { n: hidden })}`}</span>
      <span className="grow" />
      <button type="button" className="btn first" disabled={shown === 0} onClick={() => openConsoles(screens.map((vm) => vm.id))}><Icon name="screen" />{t('vms.open_screens', { n: shown })}</button>
      {FIRST.map(([verb, icon]) => <button key={verb} type="button" className="btn" disabled={!can(verb)} onClick={() => askPower(verb, ids)}><span className="phone-hide row-flex"><Icon name={icon} /></span>{t(`verb.${verb}`)}</button>)}
      <Menu position="top-end">
        <Menu.Target><button type="button" className="btn icon" aria-label={t('nav.more')}><Icon name="more" /></button></Menu.Target>
        <Menu.Dropdown>
          {MORE.map((verb) => <Menu.Item key={verb} disabled={!can(verb)} onClick={() => askPower(verb, ids)}>{t(`verb.${verb}`)}</Menu.Item>)}
          <Menu.Divider />
          {FORM.map((verb) => <Menu.Item key={verb} onClick={() => keepChoice(ids)} renderRoot={(props) => <Link {...props} to="/jobs/new" search={{ verb, ...chosen }} />}>{t(`verb.${verb}`)}</Menu.Item>)}
          <Menu.Item onClick={() => keepChoice(ids)} renderRoot={(props) => <Link {...props} to="/schedules/new" search={chosen} />}>{t('schedules.add')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <button type="button" className="btn ghost" onClick={onClear}><Icon name="close" /><span className="phone-hide">{t('vms.unselect')}</span></button>
    </div>
  )
}
