import { Menu, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { useSuspenseQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import { currentLang, setLang, t } from '@/i18n'
import { dayAndTime } from '@/i18n/format'
import { useLink, useNow } from '@/live/store'
import { Icon } from '@/parts/Icon'
import { notifyFailed } from '@/parts/notify'

import { openPalette } from './palette-store'
import { lockScreen, sessionQuery, signOut } from './session'

function LinkState() {
  const link = useLink()
  const tone = link === 'live' ? 'run' : link === 'lost' ? 'off' : 'stop'
  return (
    <span className={`state small ${tone}`} role="status" title={link === 'lost' ? t('link.lost_why') : undefined}>
      <Icon name="live" />
      <span className="phone-hide">{t(`link.${link}`)}</span>
    </span>
  )
}

function Clock() {
  const now = useNow(10_000)
  return <span className="phone-hide">{dayAndTime(new Date(now).toISOString())}</span>
}

export function TopBar() {
  const { data: session } = useSuspenseQuery(sessionQuery)
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const navigate = useNavigate()
  const name = session?.user.display_name || session?.user.name || ''
  const leave = async () => {
    try {
      await signOut()
      await navigate({ to: '/login', search: {} })
    } catch (error) {
      notifyFailed(error)
    }
  }
  return (
    <header className="top">
      <button type="button" className="top-search" onClick={openPalette} aria-keyshortcuts="Control+K">
        <Icon name="search" />
        <span className="ellipsis">{t('top.search')}</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div className="top-end">
        <LinkState />
        <Clock />
        <button type="button" className="btn ghost icon" aria-label={scheme === 'dark' ? t('top.theme_light') : t('top.theme_dark')} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
          <Icon name={scheme === 'dark' ? 'sun' : 'moon'} />
        </button>
        <Menu>
          <Menu.Target>
            <button type="button" className="btn ghost" aria-label={`${t('top.account')}: ${name}`}>
              <span className="avatar" aria-hidden="true">{name.slice(0, 1)}</span>
              <span className="phone-hide">{name}</span>
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => void setLang(currentLang() === 'ko' ? 'en' : 'ko')}>{t('top.language')}</Menu.Item>
            <Menu.Item onClick={() => void navigate({ to: '/settings', search: { part: 'me' } })}>{t('settings.part.me')}</Menu.Item>
            <Menu.Item onClick={() => void lockScreen().catch(notifyFailed)}>{t('lock.now')}</Menu.Item>
            <Menu.Item onClick={() => void leave()}>{t('top.sign_out')}</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </div>
    </header>
  )
}
