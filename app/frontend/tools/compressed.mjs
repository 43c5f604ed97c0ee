// A plugin for the build: leaves x.br and x.gz beside every text x that it wrote, so that the server packs nothing while it serves.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const TEXTS = /\.(html|js|mjs|css|svg|json)$/
const HARDEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }

export function compressed() {
  let folder = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir)
    },
    closeBundle() {
      for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!one.isFile() || !TEXTS.test(one.name)) continue
        const file = join(one.parentPath, one.name)
        const text = readFileSync(file)
        const packed = { br: brotliCompressSync(text, HARDEST), gz: gzipSync(text, { level: 9 }) }
        for (const [ending, bytes] of Object.entries(packed)) if (bytes.length < text.length) writeFileSync(`${file}.${ending}`, bytes)
      }
    },
  }
}
