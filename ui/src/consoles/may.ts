import { useQuery } from '@tanstack/react-query'

import { sessionQuery } from '@/app/session'
import type { Session } from '@/api/types'

export const useSession = (): Session | null | undefined => useQuery(sessionQuery).data

/** Whether the person holds a privilege anywhere; the server decides for each VM. */
export const useMay = (privilege: string): boolean => useSession()?.privileges.includes(privilege) ?? false
