import { fileURLToPath } from 'node:url'

import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': here('./src') } },
  build: {
    outDir: here('../src/pharmq/web/static'),
    emptyOutDir: true,
    // Every asset is a file of its own: the server's Content-Security-Policy admits no data: scripts or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2024',
  },
  worker: { format: 'es' },
  server: {
    fs: { allow: [here('.'), here('../src/pharmq/base/catalogue')] },
    proxy: { '/api': { target: process.env.PHARMQ_URL ?? 'http://127.0.0.1:8420', ws: true } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
