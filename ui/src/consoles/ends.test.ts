import { expect, test } from 'vitest'

import { ApiError } from '@/api/client'

import { endOfCall, endOfSocket, explained, pause } from './ends'

test('a close of ours carries its cause and its parameters', () => {
  const { error, retriable } = endOfSocket(4503, 'console.task_failed?text=can%27t%20lock%20file%20%26%20more&n=2')
  expect(error.code).toBe('console.task_failed')
  expect(error.params).toEqual({ text: "can't lock file & more", n: '2' })
  expect(retriable).toBe(true)
})

test('after a refusal nothing is tried by itself, whatever the reason says', () => {
  expect(endOfSocket(4403, 'console.not_allowed').retriable).toBe(false)
  expect(endOfSocket(4499, '').retriable).toBe(false)
  expect(endOfSocket(4415, 'console.ended_by_operator?by=%EA%B9%80').error.params).toEqual({ by: '김' })
})

test('a close that is not ours means that the way to the relay broke', () => {
  for (const code of [1000, 1001, 1006, 1012]) {
    const { error, retriable } = endOfSocket(code, 'anything')
    expect(error.code).toBe('console.browser_lost')
    expect(retriable).toBe(true)
  }
})

test('refused calls: circumstances pass, decisions stay', () => {
  expect(endOfCall(new ApiError(503, 'console.host_unreachable')).retriable).toBe(true)
  expect(endOfCall(new ApiError(0, 'ui.no_server')).retriable).toBe(true)
  expect(endOfCall(new ApiError(409, 'console.vm_stopped')).retriable).toBe(false)
  expect(endOfCall(new ApiError(403, 'access.forbidden')).retriable).toBe(false)
  expect(endOfCall(new TypeError('chunk gone')).error.code).toBe('ui.no_server')
})

test('pauses grow to half a minute and stay there', () => {
  const middle = [0, 1, 2, 3, 4, 5, 6, 50].map((attempt) => pause(attempt, 0.5))
  expect(middle).toEqual([1000, 2000, 4000, 8000, 15000, 30000, 30000, 30000])
  expect(pause(0, 0)).toBe(800)
  expect(pause(5, 1)).toBe(36000)
})

test('a screen that never came is explained at once, one that was there after two quiet attempts', () => {
  expect(explained(1, false, false)).toBe(true)
  expect([1, 2, 3].map((losses) => explained(losses, true, false))).toEqual([false, false, true])
})

test('a host that is known to be away is no hiccup', () => {
  expect(explained(1, true, true)).toBe(true)
  expect(explained(0, true, true)).toBe(false)
})
