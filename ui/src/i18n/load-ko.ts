import type { ErrorMessage } from '.'
import { ko } from './ko'

const parts = import.meta.glob<Record<string, ErrorMessage>>('../../../src/pharmq/base/catalogue/ko/*.json', {
  eager: true,
  import: 'default',
})

export const language = { messages: ko, errors: Object.assign({}, ...Object.values(parts)) as Record<string, ErrorMessage> }
