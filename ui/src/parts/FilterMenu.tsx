import { Menu } from '@mantine/core'

import { t } from '@/i18n'

import { Icon } from './Icon'

export interface Choice {
  value: string
  label: string
}

/** A filter of several values: closed it says what is chosen ("상태: 오프라인, 경고"). `value` is comma-separated, as in the address. */
export function FilterMenu({ label, choices, value, onChange }: { label: string; choices: readonly Choice[]; value: string | undefined; onChange: (value: string | undefined) => void }) {
  const chosen = new Set(value ? value.split(',') : [])
  const words = choices.filter((choice) => chosen.has(choice.value)).map((choice) => choice.label)
  const toggle = (one: string) => {
    const next = new Set(chosen)
    if (!next.delete(one)) next.add(one)
    onChange([...next].join(',') || undefined)
  }
  return (
    <Menu closeOnItemClick={false} position="bottom-start">
      <Menu.Target>
        <button type="button" className={chosen.size ? 'chip on' : 'chip'}>
          {label}: {words.length ? words.join(', ') : t('filter.all')}
          <Icon name="down" size={12} />
        </button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflow: 'auto' }}>
        {choices.map((choice) => (
          <Menu.CheckboxItem key={choice.value} checked={chosen.has(choice.value)} checkIcon={<Icon name="check" />} onChange={() => toggle(choice.value)}>
            {choice.label}
          </Menu.CheckboxItem>
        ))}
        {chosen.size > 0 && <Menu.Divider />}
        {chosen.size > 0 && <Menu.Item onClick={() => onChange(undefined)}>{t('filter.clear')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  )
}
