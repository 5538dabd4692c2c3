import { MantineProvider, createTheme, localStorageColorSchemeManager } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useSyncExternalStore } from 'react'

import { currentLang, onLangChange } from '@/i18n'

import { Notices } from './Notices'
import { queryClient } from './query'
import { router } from './router'

const theme = createTheme({
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 6,
  cursorType: 'pointer',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '14px', xl: '16px' },
  components: {
    Modal: { defaultProps: { centered: true, overlayProps: { color: 'var(--overlay)', backgroundOpacity: 0.5 }, transitionProps: { duration: 80 } } },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-end', transitionProps: { duration: 60 } } },
    TextInput: { defaultProps: { size: 'sm' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm' } },
    Textarea: { defaultProps: { size: 'sm' } },
    Checkbox: { defaultProps: { size: 'xs' } },
  },
})
const colorSchemes = localStorageColorSchemeManager({ key: 'pharmq.theme' })

export function App() {
  // Sentences are read while drawing, so another language draws everything anew; consoles live outside this tree.
  const lang = useSyncExternalStore(onLangChange, currentLang)
  return (
    <MantineProvider theme={theme} colorSchemeManager={colorSchemes} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <RouterProvider key={lang} router={router} />
        <Notices key={`notices-${lang}`} />
      </QueryClientProvider>
    </MantineProvider>
  )
}
