// Writes the API's shapes (docs/openapi.json) as TypeScript: `node tools/api-types.mjs` writes src/api/schema.ts,
// `--check` fails when the file is not what it would write. openapi-typescript needs the compiler API that
// TypeScript 7 no longer has; our document uses a small part of JSON Schema, so this is all it takes.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const SOURCE = here('../../docs/openapi.json')
const TARGET = here('../src/api/schema.ts')

const name = (text) => (/^[A-Za-z_]\w*$/.test(text) ? text : JSON.stringify(text))
const refName = (ref) => ref.split('/').at(-1)
const union = (parts) => [...new Set(parts)].join(' | ') || 'never'
const wrap = (type) => (/[|&]/.test(type) && !/^[{[(].*[}\])]$/.test(type) ? `(${type})` : type)

function primitive(type, schema, pad) {
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'array') return schema.prefixItems ? `[${schema.prefixItems.map((one) => write(one, pad)).join(', ')}]` : `${wrap(schema.items ? write(schema.items, pad) : 'unknown')}[]`
  if (type === 'object') return object(schema, pad)
  return type // string, boolean, null
}

function object(schema, pad) {
  const properties = Object.entries(schema.properties ?? {})
  if (properties.length === 0) {
    const more = schema.additionalProperties
    return more && typeof more === 'object' ? `Record<string, ${write(more, pad)}>` : 'Record<string, unknown>'
  }
  const required = new Set(schema.required ?? [])
  const lines = properties.map(([key, value]) => `${pad}  ${name(key)}${required.has(key) ? '' : '?'}: ${write(value, `${pad}  `)}`)
  return `{\n${lines.join('\n')}\n${pad}}`
}

function write(schema, pad = '') {
  if (schema === true || Object.keys(schema).length === 0) return 'unknown'
  if (schema.$ref) return `Schemas[${JSON.stringify(refName(schema.$ref))}]`
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return union(schema.enum.map((value) => JSON.stringify(value)))
  const choices = schema.oneOf ?? schema.anyOf
  if (choices) return union(choices.map((one) => write(one, pad)))
  if (schema.allOf) return schema.allOf.map((one) => wrap(write(one, pad))).join(' & ')
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => primitive(type, schema, pad)))
  if (schema.type) return primitive(schema.type, schema, pad)
  return 'unknown'
}

const document = JSON.parse(readFileSync(SOURCE, 'utf8'))
const schemas = Object.entries(document.components.schemas).toSorted(([a], [b]) => (a < b ? -1 : 1))
const body = schemas.map(([key, schema]) => `  ${name(key)}: ${write(schema, '  ')}`).join('\n')
const text = `// Written by tools/api-types.mjs from docs/openapi.json; do not edit.\n/* oxlint-disable */\nexport interface Schemas {\n${body}\n}\n`

if (process.argv.includes('--check')) {
  let now = ''
  try {
    now = readFileSync(TARGET, 'utf8')
  } catch {
    // A missing file is as stale as an old one.
  }
  if (now !== text) {
    process.stderr.write('ui/src/api/schema.ts is not current: run `npm run api-types` in ui/ and look at what changed.\n')
    process.exit(1)
  }
} else writeFileSync(TARGET, text)
