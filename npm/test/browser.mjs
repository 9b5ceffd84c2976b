// A project of Vite's in a real Chromium.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { TOOLS } from './project.mjs';

const { chromium } = createRequire(join(TOOLS, 'package.json'))('playwright-core');

/** What a project installs beside the package. */
export const VITE = 'vite@8.3.8';

export function openBrowser() {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** Starts one of Vite's servers on a free port of its own choice. */
export async function serve(project, args) {
  const child = spawn('npx', ['--no-install', ...args, '--host', '127.0.0.1', '--port', String(20_000 + (process.pid % 20_000))], {
    cwd: project.folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text.replace(/\u001b\[[0-9;]*m/g, '');
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(printed);
      if (found) resolve(found[0]);
    });
    child.on('exit', () => reject(new Error(`the server ended: ${printed}`)));
  });
  const ended = once(child, 'exit');
  return {
    url,
    async end() {
      process.kill(-child.pid, 'SIGTERM');
      await ended;
    },
  };
}
