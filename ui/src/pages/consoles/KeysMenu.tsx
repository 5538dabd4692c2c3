import { Menu } from '@mantine/core'

import { COMBINATIONS, FUNCTION_KEYS, HANJA, hangulPress, type Combination } from '@/consoles/keys'
import { usePrefs } from '@/consoles/prefs'
import { screenOf } from '@/consoles/tabs'
import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'

/** Keys that the browser or this computer would keep for itself. */
export function KeysMenu({ at, disabled }: { at: string; disabled: boolean }) {
  const { hangulKey } = usePrefs()
  const press = ([, keys]: Combination) => screenOf(at)?.hands?.press(keys)
  const korean: readonly Combination[] = [['한/영', [hangulPress(hangulKey)]], ['한자', [HANJA]]]
  const item = (one: Combination) => <Menu.Item key={one[0]} onClick={() => press(one)}>{one[0]}</Menu.Item>
  return (
    <Menu position="bottom-start" returnFocus={false}>
      <Menu.Target><button type="button" className="btn ghost" disabled={disabled}>{t('console.keys')}<Icon name="down" size={12} /></button></Menu.Target>
      <Menu.Dropdown mah="70vh" style={{ overflow: 'auto' }}>
        <div className="keys-two">{korean.map(item)}</div>
        <Menu.Divider />
        <div className="keys-two">{COMBINATIONS.map(item)}</div>
        <Menu.Label>{t('console.function_keys')}</Menu.Label>
        <div className="keys-four">{FUNCTION_KEYS.map(item)}</div>
      </Menu.Dropdown>
    </Menu>
  )
}
