import './styles/mantine-parts'
import 'pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css'
import './styles/tokens.css'
import './styles/mantine.css'
import './styles/base.css'

import { createRoot } from 'react-dom/client'

import { whenSignedOut, whenStandingChanged } from '@/api/client'
import { App } from '@/app/App'
import { router } from '@/app/router'
import { queryClient } from '@/app/query'
import { leave } from '@/app/session'
import { initialLang, setLang } from '@/i18n'

// The theme's attribute stands before the first paint; a script in the page itself is against our own policy.
const theme = localStorage.getItem('pharmq.theme') ?? 'auto'
const dark = theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.dataset.mantineColorScheme = dark ? 'dark' : 'light'

whenSignedOut(() => {
  leave()
  void router.navigate({ to: '/login', search: { next: router.state.location.href } })
})

whenStandingChanged(() => {
  void queryClient.invalidateQueries({ queryKey: ['session'] }).then(() => router.invalidate())
})

await setLang(initialLang())
createRoot(document.getElementById('root')!).render(<App />)
