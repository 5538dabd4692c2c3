/** Messages to Proxmox's termproxy: `0:LEN:DATA`, `1:COLS:ROWS:`, `2`. Pure. */
const words = new TextEncoder()

/** Input is told with its length in bytes: a Hangul syllable has three. */
export function inputMessage(input: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const data = typeof input === 'string' ? words.encode(input) : input
  const head = words.encode(`0:${data.length}:`)
  const message = new Uint8Array(head.length + data.length)
  message.set(head)
  message.set(data, head.length)
  return message
}

export const sizeMessage = (cols: number, rows: number): Uint8Array<ArrayBuffer> => words.encode(`1:${cols}:${rows}:`)

export const PING: Uint8Array<ArrayBuffer> = words.encode('2')
