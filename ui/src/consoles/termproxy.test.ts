import { expect, test } from 'vitest'

import { inputMessage, PING, sizeMessage } from './termproxy'

const told = (message: Uint8Array) => new TextDecoder().decode(message)

test('lengths are of bytes, not of letters', () => {
  expect(told(inputMessage('ls\r'))).toBe('0:3:ls\r')
  expect(told(inputMessage('약국'))).toBe('0:6:약국')
  expect(told(inputMessage(Uint8Array.of(0x1b, 0x5b, 0x4d)))).toBe('0:3:\u001b[M')
  expect(told(sizeMessage(120, 40))).toBe('1:120:40:')
  expect(told(PING)).toBe('2')
})
