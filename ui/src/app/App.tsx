import { MantineProvider, colorsTuple, createTheme, localStorageColorSchemeManager, type CSSVariablesResolver } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useSyncExternalStore } from 'react'

import { currentLang, onLangChange, t } from '@/i18n'

import { Notices } from './Notices'
import { queryClient } from './query'
import { router } from './router'

/** Made anew for each language: Mantine has words of its own. */
const themed = () => createTheme({
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 6,
  colors: { acc: colorsTuple('var(--acc)') },
  primaryColor: 'acc',
  cursorType: 'pointer',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '14px', xl: '16px' },
  components: {
    Modal: { defaultProps: { centered: true, closeButtonProps: { 'aria-label': t('act.close') }, overlayProps: { color: 'var(--overlay)', backgroundOpacity: 0.5 }, transitionProps: { duration: 80 } } },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-end', transitionProps: { duration: 60 } } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm', visibilityToggleButtonProps: { 'aria-label': t('act.show_password') } } },
    Select: { defaultProps: { size: 'sm' } },
    Textarea: { defaultProps: { size: 'sm' } },
    Checkbox: { defaultProps: { size: 'xs', iconColor: 'var(--on-acc)' } },
    MultiSelect: { defaultProps: { size: 'sm' } },
    NumberInput: { defaultProps: { size: 'sm' } },
  },
})
/** Mantine is used for what floats and for form fields; its variables take our tokens, which know both themes. */
const ours: Record<string, string> = {
  '--mantine-color-body': 'var(--surface)',
  '--mantine-color-text': 'var(--t1)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-color': 'var(--t1)',
  '--mantine-color-default-border': 'var(--ctl)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-dimmed': 'var(--t3)',
  '--mantine-color-placeholder': 'var(--t3)',
  '--mantine-color-error': 'var(--off)',
  '--mantine-color-anchor': 'var(--acc)',
  '--mantine-color-disabled': 'var(--sunken)',
  '--mantine-color-disabled-color': 'var(--t3)',
  '--mantine-color-disabled-border': 'var(--line)',
  '--mantine-color-acc-filled': 'var(--acc)',
  '--mantine-color-acc-filled-hover': 'var(--acc)',
  '--mantine-color-acc-light': 'var(--acc-bg)',
  '--mantine-color-acc-light-hover': 'var(--acc-bg)',
  '--mantine-color-acc-light-color': 'var(--acc)',
  '--mantine-primary-color-contrast': 'var(--on-acc)',
}
const variables: CSSVariablesResolver = () => ({
  variables: { '--mantine-shadow-md': 'var(--shadow)', '--mantine-shadow-xl': 'var(--shadow)' },
  light: ours,
  dark: ours,
})
const colorSchemes = localStorageColorSchemeManager({ key: 'pharmq.theme' })

export function App() {
  // Sentences are read while drawing, so another language draws everything anew; consoles live outside this tree.
  const lang = useSyncExternalStore(onLangChange, currentLang)
  return (
    <MantineProvider theme={themed()} cssVariablesResolver={variables} colorSchemeManager={colorSchemes} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <RouterProvider key={lang} router={router} />
        <Notices key={`notices-${lang}`} />
      </QueryClientProvider>
    </MantineProvider>
  )
}
