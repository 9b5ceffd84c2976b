// What the host of this page says at run time: which network, which servers, and on a devnet what else there is.

import type { WalletConfig } from 'kite-wallet';

export interface HostConfig extends WalletConfig {
  /** A devnet's control address; unset everywhere else. */
  controlUrl?: string | undefined;
}

/** A node of the devnet that a person may connect to with one click. */
export interface WorldNode {
  alias: string;
  nodeId: string;
  address: string;
}

/** What a devnet offers besides the network itself. */
export interface World {
  nodes: WorldNode[];
  /** Sends coins to an address; unset where there is no faucet. */
  faucet?: ((address: string, amountSat: bigint) => Promise<void>) | undefined;
  /** Asks a node for an invoice; unset where there is no node to ask. */
  invoice?: ((alias: string, amountSat: bigint, description: string) => Promise<string>) | undefined;
  /** Lets a node pay an invoice, and waits until it has; the amount is for an invoice without one. */
  pay?: ((alias: string, invoice: string, amountSat?: bigint) => Promise<void>) | undefined;
}

const NETWORKS = ['bitcoin', 'testnet', 'signet', 'regtest'];

/** Reads `/config.json`. */
export async function readConfig(): Promise<HostConfig> {
  const response = await fetch('/config.json', { cache: 'no-store' });
  if (!response.ok) throw new Error(`the settings could not be read (${response.status})`);
  return checkConfig(await response.json());
}

/** Checks what a host wrote, and fills in what may be left out. */
export function checkConfig(raw: unknown): HostConfig {
  const given = (typeof raw === 'object' && raw !== null ? raw : {}) as Record<string, unknown>;
  const network = text(given['network']);
  const esploraUrl = text(given['esploraUrl']);
  if (!network || !NETWORKS.includes(network)) throw new Error('the settings name no network');
  if (!esploraUrl) throw new Error('the settings name no chain server');
  return {
    network,
    esploraUrl,
    proxyUrl: text(given['proxyUrl']),
    controlUrl: text(given['controlUrl']),
    data: text(given['data']) ?? `kite-${network}`,
  };
}

/** Asks the devnet what it has. A world that does not answer is an empty one. */
export async function readWorld(config: HostConfig): Promise<World> {
  if (config.network !== 'regtest' || !config.controlUrl) return { nodes: [] };
  const base = config.controlUrl.replace(/\/$/, '');
  try {
    const response = await fetch(`${base}/world.json`, { cache: 'no-store' });
    if (!response.ok) return { nodes: [] };
    const world = (await response.json()) as Record<string, unknown>;
    const faucetUrl = text(world['faucet_url']);
    const nodes = Array.isArray(world['peers']) ? world['peers'].flatMap(worldNode) : [];
    const peersUrl = nodes.length > 0 ? `${base}/peers` : undefined;
    return {
      nodes,
      faucet: faucetUrl ? (address, amountSat) => pour(faucetUrl, address, amountSat) : undefined,
      invoice: peersUrl ? (alias, amountSat, description) => invoiceOf(`${peersUrl}/${encodeURIComponent(alias)}/invoice`, amountSat, description) : undefined,
      pay: peersUrl ? (alias, invoice, amountSat) => payAs(`${peersUrl}/${encodeURIComponent(alias)}/pay`, invoice, amountSat) : undefined,
    };
  } catch {
    return { nodes: [] };
  }
}

async function pour(url: string, address: string, amountSat: bigint): Promise<void> {
  await post(url, { address, sats: Number(amountSat) });
}

async function invoiceOf(url: string, amountSat: bigint, description: string): Promise<string> {
  const made = await post(url, { amount_msat: Number(amountSat * 1000n), description });
  const invoice = text(made['invoice']);
  if (!invoice) throw new Error('the devnet gave no invoice');
  return invoice;
}

async function payAs(url: string, invoice: string, amountSat: bigint | undefined): Promise<void> {
  const amount = amountSat === undefined ? {} : { amount_msat: Number(amountSat * 1000n) };
  const { status } = await post(url, { invoice, ...amount });
  if (status !== 'succeeded') throw new Error(status === 'failed' ? 'the node found no way to pay' : 'the node has not paid in time');
}

async function post(url: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`the devnet answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
  return ((await response.json()) ?? {}) as Record<string, unknown>;
}

function worldNode(raw: unknown): WorldNode[] {
  const node = (raw ?? {}) as Record<string, unknown>;
  const nodeId = text(node['node_id']);
  const address = text(node['address']);
  if (!nodeId || !address) return [];
  return [{ nodeId, address, alias: text(node['name']) ?? nodeId.slice(0, 8) }];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
