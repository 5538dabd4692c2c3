import { ApiError } from '@/api/client'
import type { JobItem, JobVerb, Verb } from '@/api/types'
import { t } from '@/i18n'
import { reasonWords } from '@/parts/State'

const CARE: ReadonlySet<JobVerb> = new Set(['snapshot', 'rollback', 'snapshot_delete', 'backup', 'onboot'])
export const isPower = (verb: JobVerb): verb is Verb => !CARE.has(verb)
/** A job's verb as a person says it: `stop` without force is a clean shutdown. */
export const verbWords = (verb: JobVerb, force: boolean): string => t(verb === 'stop' && !force ? 'verb.shutdown' : `verb.${verb}`)

/** Why an item ended as it did, for `Failure`; a host's reason code inside it becomes words. */
export function itemError({ reason, reason_params }: Pick<JobItem, 'reason' | 'reason_params'>): ApiError | undefined {
  if (!reason) return undefined
  const params = { ...reason_params }
  if (typeof params.reason === 'string') params.reason = reasonWords(params.reason)
  return new ApiError(0, reason, params)
}
