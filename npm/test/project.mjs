// An empty project with the packed package in it, as `npm install` makes it.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';

export const TARBALL = process.env.KITE_TARBALL;
export const TOOLS = process.env.KITE_TOOLS;
if (!TARBALL || !TOOLS) throw new Error('run by `cargo xtask test npm`, which packs the package first');

export class Project {
  constructor(...packages) {
    this.folder = mkdtempSync(join(tmpdir(), 'kite-npm-'));
    this.write('package.json', '{ "name": "empty", "private": true, "type": "module" }');
    this.run('npm', 'install', '--no-audit', '--no-fund', '--silent', TARBALL, ...packages);
  }

  write(name, text) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  }

  /** Runs a command to its end and gives what it printed. */
  run(name, ...args) {
    const { status, stdout, error } = spawnSync(name, args, { cwd: this.folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${error ?? stdout}`);
    return stdout;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
