/** Who is signed in. Signing in starts the live stream; an ended session stops it and returns to the sign-in page. */
import { queryOptions } from '@tanstack/react-query'

import { api, ApiError, setCsrf } from '@/api/client'
import type { Session } from '@/api/types'
import { endLive, startLive } from '@/live/connect'

import { queryClient } from './query'

let liveFor: string | undefined

function enter(session: Session | null): Session | null {
  setCsrf(session?.csrf ?? '')
  // A locked screen receives nothing; neither does one that must register a second factor first.
  const user = session && !session.locked && !session.second_factor_needed ? String(session.user.id) : undefined
  if (user !== liveFor) {
    liveFor = user
    if (user) startLive(user, () => void queryClient.invalidateQueries({ queryKey: ['session'] }))
    else endLive()
  }
  return session
}

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  staleTime: 60_000,
  queryFn: async (): Promise<Session | null> => {
    try {
      return enter(await api.get<Session>('/api/session'))
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return enter(null)
      throw error
    }
  },
})

export async function signIn(username: string, password: string, code?: string): Promise<void> {
  const body = { username, password, ...(code ? { code } : {}) }
  queryClient.setQueryData(sessionQuery.queryKey, enter(await api.post<Session>('/api/session', body)))
}

export async function acceptInvitation(token: string, password: string): Promise<void> {
  queryClient.setQueryData(sessionQuery.queryKey, enter(await api.post<Session>('/api/invitation/accept', { token, password })))
}

/** The password shown again: unlocks the screen, and allows sensitive changes for some minutes. */
export async function confirmPassword(password: string): Promise<void> {
  await api.post('/api/session/confirm', { password })
  await queryClient.invalidateQueries({ queryKey: ['session'] })
}

export async function lockScreen(): Promise<void> {
  await api.post('/api/session/lock')
  await queryClient.invalidateQueries({ queryKey: ['session'] })
}

export async function setUp(token: string, username: string, password: string): Promise<void> {
  queryClient.setQueryData(sessionQuery.queryKey, enter(await api.post<Session>('/api/setup', { token, username, password })))
}

export async function signOut(): Promise<void> {
  await api.delete('/api/session')
  leave()
}

/** Forgets everything that this session showed. */
export function leave(): void {
  enter(null)
  queryClient.clear()
  queryClient.setQueryData(sessionQuery.queryKey, null)
}
