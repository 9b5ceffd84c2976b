// What a life happens in: a world of nodes, a site, and a browser that keeps its profile in a folder of its own.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSite, startWorld } from './processes.mjs';
import { openBrowser, WalletPage } from './wallet-page.mjs';

/** A folder of this name, and the browser's profile in it. */
export function folderOf(name) {
  const folder = mkdtempSync(join(tmpdir(), `kite-${name}-`));
  return { folder, profile: join(folder, 'profile') };
}

export async function begin(profile) {
  const world = await startWorld();
  const site = await startSite(world);
  const context = await openBrowser(profile, site);
  return { world, site, context, wallet: await WalletPage.open(context, site) };
}

/** Ends what was begun, be it a part of it. */
export async function end({ folder, world, site, context }) {
  await context?.close().catch(() => undefined);
  await site?.stop();
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}
