/**
 * VMs chosen by hand, in an address. As many as servers and proxies take stand there themselves, so that a colleague can
 * be sent them. More are kept by the browser tab, and the address names them by what they are: an address that comes from
 * elsewhere finds nothing then, never another choice. Pure, but for the last two.
 */
export interface ChoiceSearch {
  vms?: string
  choice?: string
}
export type Kept = readonly (readonly [key: string, ids: string])[]

const STORAGE = 'pharmq.choices'
/** nginx takes a request's first line up to 8,192 characters. */
const MOST_IN_ADDRESS = 4000
const MOST_KEPT = 10

/** 53 bits of a text (cyrb53). */
function digest(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36)
}

export const readIds = (text: string | undefined): number[] => (text ? text.split(',').map(Number).filter((n) => Number.isSafeInteger(n) && n > 0) : [])

export function choiceSearch(ids: readonly number[]): ChoiceSearch {
  const vms = ids.join(',')
  if (encodeURIComponent(vms).length > MOST_IN_ADDRESS) return { choice: `${ids.length}-${digest(vms)}` }
  return vms ? { vms } : {}
}

/** The ids that an address means; `undefined`: it names a choice that is not kept here. */
export function chosenIds(search: ChoiceSearch, kept: Kept): number[] | undefined {
  if (search.choice === undefined) return readIds(search.vms)
  const found = kept.find(([key]) => key === search.choice)
  return found && readIds(found[1])
}

/** With one more choice, if it needs keeping: the newest first, the oldest go. */
export function withChoice(kept: Kept, ids: readonly number[]): Kept {
  const { choice } = choiceSearch(ids)
  return choice === undefined ? kept : [[choice, ids.join(',')] as const, ...kept.filter(([key]) => key !== choice)].slice(0, MOST_KEPT)
}

export function readKept(stored: string | null): Kept {
  try {
    const kept: unknown = JSON.parse(stored ?? '[]')
    return Array.isArray(kept) ? kept.filter((one): one is [string, string] => Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string')) : []
  } catch {
    return []
  }
}

export const keptChoices = (): Kept => readKept(sessionStorage.getItem(STORAGE))

/** To be called before an address with these ids is gone to; costs nothing for few. */
export function keepChoice(ids: readonly number[]): void {
  if (choiceSearch(ids).choice !== undefined) sessionStorage.setItem(STORAGE, JSON.stringify(withChoice(keptChoices(), ids)))
}
