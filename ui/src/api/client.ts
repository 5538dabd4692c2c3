/** Calls to our own origin. A failure is always an `ApiError` with a catalogue code, also when nobody answered. */
import { currentLang } from '@/i18n'

import type { FieldErrors, Params } from './types'

export class ApiError extends Error {
  override name = 'ApiError'
  constructor(
    readonly status: number,
    readonly code: string,
    readonly params: Params = {},
    readonly title = '',
    readonly detail = '',
    readonly errors: FieldErrors = {},
  ) {
    super(`${status} ${code}`)
  }
}

let csrf = ''
let onUnauthenticated: () => void = () => {}
let onStanding: () => void = () => {}
let askPassword: () => Promise<boolean> = () => Promise.resolve(false)

/** The token that writes carry; it comes with the session. */
export function setCsrf(token: string): void {
  csrf = token
}

/** Called when a call meets an ended session (not when signing in itself is refused). */
export function whenSignedOut(listener: () => void): void {
  onUnauthenticated = listener
}

/** Called when the screen turns out to be locked, or a second factor must be registered first. */
export function whenStandingChanged(listener: () => void): void {
  onStanding = listener
}

/** Asks for the password again; true when it was shown and the refused call may be tried once more. */
export function whenReauthNeeded(ask: () => Promise<boolean>): void {
  askPassword = ask
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>>

/** Writes a query; `undefined`, `null` and `''` are left out, lists are repeated. */
export function queryString(query: Query): string {
  const out = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === '') continue
    if (Array.isArray(value)) for (const one of value) out.append(name, String(one))
    else out.append(name, String(value))
  }
  const text = out.toString()
  return text ? `?${text}` : ''
}

interface Options {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  /** Milliseconds after which the call is given up; no call waits for ever. */
  timeout?: number
}

async function failure(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null
  if (!body || typeof body.code !== 'string') return new ApiError(response.status, 'ui.bad_answer', { status: response.status })
  return new ApiError(
    response.status,
    body.code,
    (body.params as Params | undefined) ?? {},
    (body.title as string | undefined) ?? '',
    (body.detail as string | undefined) ?? '',
    (body.errors as FieldErrors | undefined) ?? {},
  )
}

/** An answer of one JSON value a line (`application/x-ndjson`), each as it comes. */
async function* lines<T>(path: string, { signal }: { signal: AbortSignal }): AsyncGenerator<T> {
  let response: Response
  try {
    response = await fetch(path, { method: 'POST', headers: { 'Accept-Language': currentLang(), 'X-CSRF-Token': csrf }, credentials: 'same-origin', signal })
  } catch (error) {
    if (signal.aborted) throw error
    throw new ApiError(0, 'ui.no_server')
  }
  if (!response.ok || !response.body) throw await failure(response)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    const parts = (rest + (value ?? '')).split('\n')
    rest = done ? '' : (parts.pop() ?? '')
    for (const part of parts) if (part) yield JSON.parse(part) as T
    if (done) return
  }
}

async function call<T>(method: string, path: string, options: Options = {}, again = false): Promise<T> {
  const { query, body, signal, timeout = 30_000 } = options
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': currentLang() }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  const limit = AbortSignal.timeout(timeout)
  let response: Response
  try {
    response = await fetch(path + queryString(query ?? {}), {
      method,
      headers,
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, limit.aborted ? 'ui.timeout' : 'ui.no_server')
  }
  if (!response.ok) {
    const error = await failure(response)
    if (error.code === 'session.reauth' && !again && (await askPassword())) return call(method, path, options, true)
    if (error.code === 'session.locked' || error.code === 'session.second_factor_needed') onStanding()
    if (error.status === 401 && !path.startsWith('/api/session') && !path.startsWith('/api/setup')) onUnauthenticated()
    throw error
  }
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

/** An answer that is a file. It may take long: it is given up only with `signal`. */
async function file(path: string, body: unknown, signal?: AbortSignal): Promise<Blob> {
  const headers = { 'Accept-Language': currentLang(), 'Content-Type': 'application/json', 'X-CSRF-Token': csrf }
  let response: Response
  try {
    response = await fetch(path, { method: 'POST', headers, credentials: 'same-origin', body: JSON.stringify(body), signal })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(0, 'ui.no_server')
  }
  if (!response.ok) throw await failure(response)
  try {
    return await response.blob()
  } catch (error) {
    // The server breaks the connection when it cannot go on: half a file is no file.
    if (signal?.aborted) throw error
    throw new ApiError(0, 'ui.no_server')
  }
}

export const api = {
  get: <T>(path: string, options?: Options) => call<T>('GET', path, options),
  post: <T>(path: string, body?: unknown, options?: Options) => call<T>('POST', path, { ...options, body: body ?? {} }),
  put: <T>(path: string, body: unknown, options?: Options) => call<T>('PUT', path, { ...options, body }),
  patch: <T>(path: string, body: unknown, options?: Options) => call<T>('PATCH', path, { ...options, body }),
  lines,
  file,
  delete: <T = void>(path: string, options?: Options) => call<T>('DELETE', path, options),
}
