/**
 * How a console feels: bytes a second, and how long the host takes to answer. RFB has no ping, so a pixel is asked for
 * anew and the next picture is the answer. Asked only right after an input (or the opening), when QEMU looks at its
 * screen often: an idle one answers up to three seconds late, and would be called slow for nothing. Pure; times in ms.
 */
const WINDOW_MS = 4_000
const BUCKET_MS = 500
const AFTER_INPUT_MS = 1_000
const OPENING_MS = 6_000
const BETWEEN_MS = 1_500
/** A picture that came just now may have a follower on its way that is no answer to us. */
const QUIET_MS = 80
const LOST_MS = 10_000
const KEPT = 5

/** FramebufferUpdateRequest (RFC 6143 section 7.5.3): not incremental, one pixel in the corner. */
export const ONE_PIXEL = Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 1, 0, 1)

export class Meter {
  #since: number
  #input = -Infinity
  #last: number
  #asked: number | undefined
  #askedLast = -Infinity
  #answers: number[] = []
  #buckets = new Map<number, number>()

  constructor(now: number) {
    this.#since = now
    this.#last = now
  }

  took(now: number, bytes: number): void {
    if (this.#asked !== undefined) {
      this.#answers = [...this.#answers.slice(1 - KEPT), now - this.#asked]
      this.#asked = undefined
    }
    this.#last = now
    const bucket = Math.floor(now / BUCKET_MS)
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + bytes)
    for (const old of this.#buckets.keys()) if ((bucket - old) * BUCKET_MS > WINDOW_MS) this.#buckets.delete(old)
  }

  input(now: number): void {
    this.#input = now
  }

  /** True when a pixel should be asked for now; the asking is counted from here. */
  ask(now: number): boolean {
    if (this.#asked !== undefined) {
      if (now - this.#asked < LOST_MS) return false
      this.#asked = undefined
    }
    const lively = now - this.#input <= AFTER_INPUT_MS || now - this.#since <= OPENING_MS
    if (!lively || now - this.#askedLast < BETWEEN_MS || now - this.#last < QUIET_MS) return false
    this.#asked = now
    this.#askedLast = now
    return true
  }

  /** The usual answer lately, in ms: half were quicker. */
  response(): number | undefined {
    const sorted = this.#answers.toSorted((a, b) => a - b)
    return sorted[Math.floor((sorted.length - 1) / 2)]
  }

  /** Bits a second that came lately. */
  rate(now: number): number {
    const first = Math.floor((now - WINDOW_MS) / BUCKET_MS)
    let bytes = 0
    for (const [bucket, size] of this.#buckets) if (bucket > first) bytes += size
    return (bytes * 8_000) / Math.max(1_000, Math.min(WINDOW_MS, now - this.#since))
  }
}
