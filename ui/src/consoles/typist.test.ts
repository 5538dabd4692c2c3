import { expect, test } from 'vitest'

import type { Press } from './keys'
import { Typist } from './typist'
import { planTyping } from './typing'

test('texts follow one another and do not mix; a stop ends them all; a lost console says how far it came', async () => {
  const pressed: string[] = []
  let there = true
  const typist = new Typist((keys: readonly Press[]) => {
    if (there) pressed.push(keys.map(([, code]) => code).join('+'))
    return there
  })
  const seen: number[] = []
  const both = [typist.type(planTyping('ab', 'keys', 'lang1'), 1, (done) => seen.push(done)), typist.type(planTyping('c', 'keys', 'lang1'), 1)]
  expect(await Promise.all(both)).toEqual([{ done: 2, total: 2, whole: true }, { done: 1, total: 1, whole: true }])
  expect(pressed).toEqual(['KeyA', 'KeyB', 'KeyC'])
  expect(seen).toEqual([1, 2])

  const cut = typist.type(planTyping('abc', 'keys', 'lang1'), 1, () => typist.stop())
  const waiting = typist.type(planTyping('d', 'keys', 'lang1'), 1)
  expect(await cut).toEqual({ done: 1, total: 3, whole: false })
  expect(await waiting).toEqual({ done: 0, total: 1, whole: false })

  there = false
  expect(await typist.type(planTyping('xy', 'keys', 'lang1'), 1)).toEqual({ done: 0, total: 2, whole: false })
})
