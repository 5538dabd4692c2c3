import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const src = fileURLToPath(new URL('..', import.meta.url))
const styles = fileURLToPath(new URL('../../node_modules/@mantine/core/styles/', import.meta.url))

test('every Mantine part in use brings its style sheet', () => {
  const taken = readFileSync(`${src}/styles/mantine-parts.ts`, 'utf8')
  const used = new Set<string>()
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file)) continue
    for (const [, names] of readFileSync(`${src}/${file}`, 'utf8').matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)) {
      for (const name of names!.split(',')) used.add(name.trim())
    }
  }
  expect(used.size).toBeGreaterThan(5)
  expect([...used].filter((name) => existsSync(`${styles}${name}.css`) && !taken.includes(`/${name}.css`))).toEqual([])
})
