// The scenarios in TypeScript, in a page of a real Chromium that has the package from its tarball: see scenarios/README.md.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { startWorld } from '../../web/e2e/processes.mjs';
import { openBrowser, serve, VITE } from './browser.mjs';
import { Project, TOOLS } from './project.mjs';

const FOLDER = join(import.meta.dirname, '../../scenarios');
const read = (name) => readFileSync(join(FOLDER, name), 'utf8');

let project, world, site, browser, page;
before(async () => {
  project = new Project(VITE);
  for (const path of ['scenarios/life.ts', 'scenarios/log.ts', '../../docs/embed/snippets/pay.ts']) {
    project.write(basename(path), readFileSync(join(import.meta.dirname, path), 'utf8'));
  }
  project.write('index.html', '<!doctype html><title>scenarios</title><script type="module" src="/main.ts"></script>');
  project.write(
    'main.ts',
    `import init from 'kite-wallet';
     import { Life, type World } from './life.ts';
     await init();
     Object.assign(globalThis, { begin: (world: World, varying: string[]) => Object.assign(globalThis, { life: new Life(world, varying) }) });`,
  );
  const compiler = join(TOOLS, 'node_modules/typescript/bin/tsc');
  const settings = ['--noEmit', '--strict', '--noUncheckedIndexedAccess', '--allowImportingTsExtensions', '--target', 'es2022', '--types', ''];
  project.run('node', compiler, ...settings, '--lib', 'es2023,dom,esnext.disposable', '--module', 'esnext', '--moduleResolution', 'bundler', 'main.ts');
  project.run('npx', '--no-install', 'vite', 'build', '--logLevel', 'warn');
  [world, site, browser] = await Promise.all([startWorld(), serve(project, ['vite', 'preview']), openBrowser()]);
  page = await browser.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => globalThis.begin !== undefined);
  await page.evaluate(([world, varying]) => void globalThis.begin(world, varying), [world.described, read('varying.txt').trim().split('\n')]);
});
after(async () => {
  await browser?.close();
  await site?.end();
  await world?.stop();
  project?.remove();
});

const number = (name) => Number.parseInt(name, 10);
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json')).sort((one, other) => number(one) - number(other));
assert.ok(files.length > 5);
test('a wallet lives through all scenarios and each log is the shared one', { timeout: 300_000 }, async (life) => {
  for (const file of files) {
    await life.test(file, async () => {
      const log = await page.evaluate((scenario) => globalThis.life.live(scenario), read(file));
      assert.deepEqual(log.split('\n'), read(file.replace('.json', '.log')).split('\n'));
    });
  }
});
