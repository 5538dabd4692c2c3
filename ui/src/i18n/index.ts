/**
 * The UI's language. `ko.ts` is the source of the keys, `en.ts` must have the same ones (the compiler checks).
 * A language is loaded whole before the first render, so `t` is synchronous; changing it re-mounts the tree.
 */
import { fill, type Lang, type Params } from './fill'
import type { ko } from './ko'

export type { Lang, Params } from './fill'
export type MessageKey = keyof typeof ko
export interface ErrorMessage {
  title: string
  why: string
  remedy: string
}

interface Language {
  messages: Readonly<Record<MessageKey, string>>
  /** What server and UI share: `src/pharmq/base/catalogue/<lang>/*.json`. */
  errors: Readonly<Record<string, ErrorMessage>>
}

const STORAGE = 'pharmq.lang'
let lang: Lang = 'ko'
let language: Language = { messages: {} as Language['messages'], errors: {} }
const listeners = new Set<() => void>()

async function load(next: Lang): Promise<Language> {
  return next === 'ko' ? (await import('./load-ko')).language : (await import('./load-en')).language
}

/** The language to begin with: the last choice made in this browser, else Korean. */
export function initialLang(): Lang {
  return localStorage.getItem(STORAGE) === 'en' ? 'en' : 'ko'
}

export async function setLang(next: Lang): Promise<void> {
  language = await load(next)
  lang = next
  localStorage.setItem(STORAGE, next)
  document.documentElement.lang = next
  for (const listener of listeners) listener()
}

export const currentLang = (): Lang => lang

export function onLangChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** A sentence of the UI in the current language. */
export function t(key: MessageKey, params?: Params): string {
  const text = language.messages[key] ?? key
  return params ? fill(text, params, lang) : text
}

/** `t` for a key made of parts (`kind.${x}`); `undefined` when there is no such key. */
export function tMaybe(key: string, params?: Params): string | undefined {
  const text = (language.messages as Record<string, string | undefined>)[key]
  return text === undefined ? undefined : fill(text, params ?? {}, lang)
}

/** The three parts of a catalogue code, filled; `undefined` for a code without a sentence. */
export function explain(code: string, params: Params = {}): ErrorMessage | undefined {
  const message = language.errors[code]
  if (!message) return undefined
  return {
    title: fill(message.title, params, lang),
    why: fill(message.why ?? '', params, lang),
    remedy: fill(message.remedy ?? '', params, lang),
  }
}
