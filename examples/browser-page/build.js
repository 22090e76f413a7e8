// Bundles the page into the folder that is named, `dist` by default: node build.js [FOLDER]
import { cpSync, mkdirSync } from 'node:fs';

import { build } from 'esbuild';

const folder = process.argv[2] ?? 'dist';
mkdirSync(folder, { recursive: true });
await build({
  entryPoints: ['src/page.js'],
  outfile: `${folder}/page.bundle.js`,
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
});
cpSync('index.html', `${folder}/index.html`);
