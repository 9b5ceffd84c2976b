import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';

test('the example of the README compiles', () => {
  const example = /```ts\n(.*?)```/s.exec(readFileSync('../README.md', 'utf8'))?.[1] ?? '';
  assert.ok(example.includes("from 'kite-wallet'"), 'there is an example');
  mkdirSync('node_modules/.cache/readme', { recursive: true });
  writeFileSync('node_modules/.cache/readme/embed.ts', example);
  const { status, stdout } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.readme.json'], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});
