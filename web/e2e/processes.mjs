// The programs a test needs beside the browser: the devnet and the server of the page.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const web = fileURLToPath(new URL('..', import.meta.url));

/** Starts a program that says with one line of JSON that it is ready. */
function start(command, args, name) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (data) => (log = (log + data).slice(-8000)));
  const ready = new Promise((resolve, reject) => {
    let line = '';
    child.stdout.on('data', (data) => {
      line += data;
      if (line.includes('\n')) resolve(JSON.parse(line.slice(0, line.indexOf('\n'))));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}\n${log}`)));
  });
  const stop = () =>
    new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once('exit', resolve);
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 15_000).unref();
    });
  return { ready, stop };
}

/** A devnet without block clock: blocks come when the test asks for them. */
export async function startWorld() {
  const binary = process.env.KITE_DEVNET ?? `${web}../target/debug/kite-devnet`;
  if (!existsSync(binary)) throw new Error(`no devnet at ${binary}; build kite-devnet, or name it in KITE_DEVNET`);
  const { ready, stop } = start(binary, ['--block-secs', '0'], 'the devnet');
  return new World(await ready, stop);
}

/** The page as built, with the settings of this world, or as if it were another network. */
export async function startSite(world, network = 'regtest') {
  const config = { network, esploraUrl: world.esploraUrl, proxyUrl: world.proxyUrl, controlUrl: world.controlUrl };
  const args = [`${web}serve.mjs`, '--config-json', JSON.stringify(config)];
  if (process.env.KITE_DIST) args.push('--dist', process.env.KITE_DIST);
  const { ready, stop } = start(process.execPath, args, 'the server of the page');
  return { url: (await ready).url, stop };
}

class World {
  constructor(described, stop) {
    this.described = described;
    this.esploraUrl = described.esplora_url;
    this.proxyUrl = described.proxy_url;
    this.controlUrl = described.control_url;
    this.peers = Object.fromEntries(described.peers.map((peer) => [peer.name, peer]));
    this.stop = stop;
  }

  async post(path, body) {
    const response = await fetch(`${this.controlUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async get(path) {
    const response = await fetch(`${this.controlUrl}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  mine(count) {
    return this.post(`/regtest/mine/${count}`);
  }

  /** An invoice of one of the nodes. */
  async invoice(name, amountMsat, description) {
    return this.post(`/peers/${name}/invoice`, { amount_msat: amountMsat, description });
  }

  /** An invoice whose payment stays under way until it is claimed or failed. */
  holdInvoice(name, amountMsat, paymentHash) {
    return this.post(`/peers/${name}/hold_invoice`, { amount_msat: amountMsat, payment_hash: paymentHash });
  }
}
