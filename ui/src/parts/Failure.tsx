/** A failure, always in three parts: what happened, why, what to do now. */
import { ApiError } from '@/api/client'
import { explain, t, tMaybe, type ErrorMessage } from '@/i18n'
import type { FieldErrors } from '@/api/types'

import { Sign } from './Icon'

/** The three parts for anything thrown; the server's own sentence stands in for a code our catalogue lacks. */
export function threeParts(error: unknown): ErrorMessage & { code: string } {
  if (error instanceof ApiError) {
    const local = explain(error.code, error.params)
    if (local) return { ...local, code: error.code }
    const own = tMaybe(`failure.${error.code}.title`, error.params)
    if (own) {
      return {
        title: own,
        why: tMaybe(`failure.${error.code}.why`, error.params) ?? '',
        remedy: tMaybe(`failure.${error.code}.remedy`, error.params) ?? '',
        code: error.code,
      }
    }
    if (error.title) return { title: error.title, why: error.detail, remedy: '', code: error.code }
    return { title: t('failure.unknown.title'), why: t('failure.unknown.why', { code: error.code }), remedy: t('failure.unknown.remedy'), code: error.code }
  }
  return { title: t('failure.ui.title'), why: error instanceof Error ? error.message : String(error), remedy: t('failure.ui.remedy'), code: 'ui.defect' }
}

export function Failure({ error, children }: { error: unknown; children?: React.ReactNode }) {
  if (!error) return null
  const parts = threeParts(error)
  return (
    <div className="failure" role="alert" data-code={parts.code}>
      <Sign name="cross" />
      <p className="title">{parts.title}</p>
      {parts.why && <p className="why">{parts.why}</p>}
      {parts.remedy && <p className="remedy">{parts.remedy}</p>}
      {children && <div className="row-flex">{children}</div>}
    </div>
  )
}

/** The same for a code that is a state, not an exception (a host's reason, a job item's reason). */
export function CodeFailure({ code, params, children }: { code: string; params?: Record<string, unknown> | null; children?: React.ReactNode }) {
  return <Failure error={new ApiError(0, code, params ?? {})}>{children}</Failure>
}

/** The sentence for one field of a refused form, or undefined. */
export function fieldError(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined
  return fieldSentence(error.errors, field)
}

export function fieldSentence(errors: FieldErrors, field: string): string | undefined {
  const first = errors[field]?.[0]
  if (!first) return undefined
  const message = explain(first.code, first.params ?? {})
  return message ? [message.title, message.remedy].filter(Boolean).join(' ') : first.code
}
