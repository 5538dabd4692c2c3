import { useEffect } from 'react'

import { queryClient } from '@/app/query'
import { sessionQuery } from '@/app/session'

import { closeAllConsoles, restoreConsoles } from './tabs'

import './consoles.css'

/**
 * Opens the consoles that a reload cut, and ends them with the session that opened them. Their elements live on a shelf of their own beside the
 * application (`tabs.ts`), so that not even another language, which draws everything anew, cuts one.
 */
export function ConsoleLayer() {
  useEffect(() => {
    restoreConsoles()
    return () => {
      setTimeout(() => {
        if (!queryClient.getQueryData(sessionQuery.queryKey)) closeAllConsoles()
      }, 0)
    }
  }, [])
  return null
}
