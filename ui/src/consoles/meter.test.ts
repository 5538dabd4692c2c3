import { expect, test } from 'vitest'

import { Meter } from './meter'

test('asks after the opening and after an input, not of a screen at rest', () => {
  const meter = new Meter(0)
  expect(meter.ask(50)).toBe(false)
  expect(meter.ask(100)).toBe(true)
  expect(meter.ask(2000)).toBe(false)
  meter.took(2010, 40)
  expect(meter.response()).toBe(1910)
  expect(meter.ask(2050)).toBe(false)
  expect(meter.ask(2100)).toBe(true)
  meter.took(2110, 40)
  expect(meter.ask(7000)).toBe(false)
  meter.input(7500)
  expect(meter.ask(8000)).toBe(true)
})

test('the usual answer of the last five; a lost question is forgotten', () => {
  const meter = new Meter(0)
  expect(meter.response()).toBeUndefined()
  let at = 1000
  for (const took of [900, 20, 24, 30, 22, 400]) {
    meter.input(at)
    expect(meter.ask(at)).toBe(true)
    meter.took(at + took, 10)
    at += 2000
  }
  expect(meter.response()).toBe(24)
  meter.input(at)
  expect(meter.ask(at)).toBe(true)
  meter.input(at + 10_000)
  expect(meter.ask(at + 10_000)).toBe(true)
  expect(meter.response()).toBe(24)
})

test('rate over the last four seconds', () => {
  const meter = new Meter(0)
  meter.took(500, 500_000)
  expect(meter.rate(1000)).toBe(4_000_000)
  expect(meter.rate(4000)).toBe(1_000_000)
  expect(meter.rate(9000)).toBe(0)
})
