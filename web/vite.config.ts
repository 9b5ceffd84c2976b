import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));
const packageFolder = resolve(here, '../bindings-wasm/pkg');

const remote = join(packageFolder, 'remote.js');
if (!existsSync(remote)) throw new Error(`no package in ${packageFolder}; build it with \`cargo xtask wasm\``);

/** Writes `sw.js` with the list of files of this build, so that each build is cached as one whole. */
function offlineShell(): Plugin {
  return {
    name: 'offline-shell',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const files = Object.keys(bundle).filter((name) => !name.endsWith('.map')).sort();
        const contents = files.map((name) => {
          const file = bundle[name];
          return file?.type === 'asset' ? file.source : (file?.code ?? '');
        });
        const hash = createHash('sha256');
        for (const content of [...files, ...contents]) hash.update(content);
        const shell = files.map((name) => (name === 'index.html' ? '/' : `/${name}`));
        const source = readFileSync(join(here, 'src/sw.js'), 'utf8')
          .replace("'__BUILD__'", JSON.stringify(hash.digest('hex').slice(0, 16)))
          .replace("['__SHELL__']", JSON.stringify([...shell, '/icon.svg', '/manifest.webmanifest']));
        this.emitFile({ type: 'asset', fileName: 'sw.js', source });
      },
    },
  };
}

export default defineConfig({
  root: here,
  resolve: {
    alias: [{ find: /^kite-wallet\/remote$/, replacement: remote }],
  },
  plugins: [offlineShell()],
  worker: { format: 'es' },
  server: { fs: { allow: [here, packageFolder] } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
});
