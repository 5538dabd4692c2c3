/** Filling of sentences. Mirrors `pharmq.base.messages.fill`, so that one catalogue serves server and browser. */

export type Params = Readonly<Record<string, unknown>>
export type Lang = 'ko' | 'en'

const SLOT = /\{(\w+)(?:\|([^}]+))?\}/g
// Digits and Latin letters whose Korean reading ends in a consonant (0 영, 1 일, 3 삼, 6 육, 7 칠, 8 팔; L, M, N, R).
const CLOSED = '013678lmnr'
const CLOSED_BY_RIEUL = '178lr'

/** Chooses from 을/를, 이/가, 은/는, 과/와, 으로/로 by the last syllable of `word`. */
export function particle(word: string, pair: string): string {
  const [closedForm = '', openForm = ''] = pair.split('/')
  const last = word.replace(/[)\]}"' ]+$/, '').slice(-1).toLowerCase()
  let closed: boolean
  let rieul: boolean
  if (last >= '가' && last <= '힣') {
    const final = (last.charCodeAt(0) - 0xac00) % 28
    closed = final !== 0
    rieul = final === 8
  } else {
    closed = last !== '' && CLOSED.includes(last)
    rieul = last !== '' && CLOSED_BY_RIEUL.includes(last)
  }
  if (closedForm === '으로' && rieul) return openForm
  return closed ? closedForm : openForm
}

/**
 * Puts parameters into a sentence. `{name}` is the value, `{name|을/를}` the value with its Korean particle;
 * in English `{n|host/hosts}` is the value, a blank and the word in its number. A missing value shows as a dash.
 */
export function fill(text: string, params: Params, lang: Lang): string {
  return text.replace(SLOT, (_, name: string, forms: string | undefined) => {
    const value = params[name]
    const word = value === null || value === undefined ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value)
    if (!forms) return word
    if (lang === 'ko') return word + particle(word, forms)
    const [one = '', many = ''] = forms.split('/')
    return `${word} ${Number(value) === 1 ? one : many}`
  })
}
