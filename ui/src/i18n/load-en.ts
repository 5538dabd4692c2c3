import type { ErrorMessage } from '.'
import { en } from './en'

const parts = import.meta.glob<Record<string, ErrorMessage>>('../../../src/pharmq/base/catalogue/en/*.json', {
  eager: true,
  import: 'default',
})

export const language = { messages: en, errors: Object.assign({}, ...Object.values(parts)) as Record<string, ErrorMessage> }
