import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'
import { compressed } from './tools/compressed.mjs'

const backend = `http://127.0.0.1:${process.env.HOTLINE_HTTP_PORT ?? 8000}`

export default defineConfig({
  plugins: [vue(), compressed()],
  build: {
    outDir: 'dist',
    // Some public-service desktops still run Chromium 90.
    target: 'chrome90',
    cssTarget: 'chrome90',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 560, // ECharts, which loads with the first chart; nothing else comes near it
  },
  worker: { format: 'es' },
  define: { __VUE_OPTIONS_API__: 'false' },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': backend, '/ws': { target: backend, ws: true }, '/healthz': backend },
  },
  test: {
    environment: 'node',
    include: ['src/**/*.test.ts'],
    testTimeout: 5000,
    pool: 'threads',
    maxWorkers: 1,
  },
})
