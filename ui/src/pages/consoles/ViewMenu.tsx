import { Menu } from '@mantine/core'

import type { HangulKey } from '@/consoles/keys'
import { setPrefs, usePrefs, type Quality } from '@/consoles/prefs'
import type { Size } from '@/consoles/screen'
import { screenOf, type ConsoleTab } from '@/consoles/tabs'
import { t } from '@/i18n'
import { Icon } from '@/parts/Icon'

const SIZES: readonly Size[] = ['fit', 'actual', 'guest']
const QUALITIES: readonly Quality[] = ['best', 'balanced', 'saving']
const HANGUL_KEYS: readonly HangulKey[] = ['lang1', 'right_alt']

const One = ({ value, children }: { value: string; children: string }) => <Menu.RadioItem value={value} checkIcon={<Icon name="check" />} closeMenuOnClick>{children}</Menu.RadioItem>

/** How the picture is shown and fetched, and what stands for the local 한/영 key. */
export function ViewMenu({ tab }: { tab: ConsoleTab }) {
  const { quality, hangulKey } = usePrefs()
  const container = screenOf(tab.key)?.container ?? false
  return (
    <Menu position="bottom-start" returnFocus={false}>
      <Menu.Target><button type="button" className="btn ghost"><Icon name="fit" />{t(tab.size === 'guest' ? 'console.view' : `console.size.${tab.size}`)}<Icon name="down" size={12} /></button></Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={tab.size} onChange={(size) => screenOf(tab.key)?.hands?.setSize(size as Size)}>
          {SIZES.map((one) => <One key={one} value={one}>{t(`console.size.${one}`)}</One>)}
        </Menu.RadioGroup>
        <Menu.Label>{t('console.quality')}</Menu.Label>
        <Menu.RadioGroup value={quality} onChange={(next) => setPrefs({ quality: next as Quality })}>
          {QUALITIES.map((one) => <One key={one} value={one}>{t(`console.quality.${one}`)}</One>)}
        </Menu.RadioGroup>
        {!container && <Menu.Label>{t('console.hangul_key')}</Menu.Label>}
        {!container && (
          <Menu.RadioGroup value={hangulKey} onChange={(next) => setPrefs({ hangulKey: next as HangulKey })}>
            {HANGUL_KEYS.map((one) => <One key={one} value={one}>{t(`console.paste.hangul_key.${one}`)}</One>)}
          </Menu.RadioGroup>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
