// One file with the program and all that it imports, for the image, and the bill of its materials (CycloneDX): npm run bundle.
import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';
import sbom from 'rollup-plugin-sbom';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

export default defineConfig({
  input: 'src/main.ts',
  platform: 'node',
  plugins: [
    {
      name: 'image',
      // There is no package.json beside the bundle,
      load: (id) => (id.endsWith('/src/version.ts') ? `export const VERSION = ${JSON.stringify(version)};` : null),
      // and no env(1) in the image.
      renderChunk: (code) => code.replace(/^#!.*/, '#!/usr/local/bin/node'),
    },
    sbom({ outDir: '.', outFilename: 'socketpod.cdx', outFormats: ['json'], includeWellKnown: false, saveTimestamp: false }),
  ],
  output: {
    file: 'bundle/socketpod.mjs',
    format: 'esm',
    codeSplitting: false, // commands are imported when they are needed, from this one file
    minify: true,
  },
});
