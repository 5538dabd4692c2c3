/** Types one text after another at a pace that guests can follow. */
import type { Press } from './keys'
import type { Plan } from './typing'

export interface Typed {
  done: number
  total: number
  /** False: stopped by a person or because the console was lost. */
  whole: boolean
}

export class Typist {
  #press: (keys: readonly Press[]) => boolean
  #line: Promise<unknown> = Promise.resolve()
  #stopped = 0

  /** `press` presses keys in order and lets them go; false when there is no console to press them on. */
  constructor(press: (keys: readonly Press[]) => boolean) {
    this.#press = press
  }

  /** Types after what is being typed already. `told` after each stroke. */
  type({ strokes }: Plan, paceMs: number, told?: (done: number) => void): Promise<Typed> {
    const from = this.#stopped
    const turn = this.#line.then(async () => {
      let done = 0
      for (const stroke of strokes) {
        if (this.#stopped !== from || !this.#press(stroke)) break
        done += 1
        told?.(done)
        if (paceMs > 0 && done < strokes.length) await new Promise((ready) => setTimeout(ready, paceMs))
      }
      return { done, total: strokes.length, whole: done === strokes.length }
    })
    this.#line = turn
    return turn
  }

  /** Ends everything that is being typed or waits. */
  stop(): void {
    this.#stopped += 1
  }
}
