/** Why a console ended and whether it may come back by itself. Pure; mirrors `pharmq.consoles.model.Cause`. */
import { ApiError } from '@/api/client'

export interface End {
  error: ApiError
  /** Circumstances of the moment: a fresh session may be asked for without a person. Never after a refusal. */
  retriable: boolean
}

/**
 * Reads a WebSocket close: 4000-4999 are ours, the reason is `code?k=v&k=v` (values percent-encoded). 44xx is a
 * refusal or a state only a person changes, 45xx passes. Anything else never came from the relay: the way to it broke.
 */
export function endOfSocket(code: number, reason: string): End {
  if (code < 4000 || code > 4999 || reason === '') return { error: new ApiError(0, 'console.browser_lost'), retriable: code < 4000 || code > 4499 }
  const mark = reason.indexOf('?')
  const name = mark < 0 ? reason : reason.slice(0, mark)
  const params = mark < 0 ? {} : Object.fromEntries(new URLSearchParams(reason.slice(mark + 1)))
  return { error: new ApiError(0, name, params), retriable: code >= 4500 }
}

/** A refused `connect` or `refresh`: what nobody answered and 5xx may pass by itself, the rest is a decision. */
export function endOfCall(error: unknown): End {
  const known = error instanceof ApiError ? error : new ApiError(0, 'ui.no_server')
  return { error: known, retriable: known.status === 0 || known.status === 429 || known.status >= 500 }
}

const STEPS_S = [1, 2, 4, 8, 15, 30]

/** Milliseconds before attempt number `attempt` (0 = the first one after the loss); `random` in 0..1 spreads crowds. */
export const pause = (attempt: number, random: number): number => Math.round((STEPS_S[Math.min(attempt, STEPS_S.length - 1)] ?? 30) * (800 + 400 * random))

/** Losses in a row that pass for a hiccup: told in one quiet line over the last picture. */
const QUIET_LOSSES = 2

/**
 * Whether an end that may pass by itself is explained in full at once, while it is tried again. Quiet is only what was open a moment ago
 * on a host that is there: a person who has just asked for a screen wants to know why there is none.
 */
export const explained = (losses: number, shown: boolean, hostOffline: boolean): boolean => losses > 0 && (!shown || hostOffline || losses > QUIET_LOSSES)
