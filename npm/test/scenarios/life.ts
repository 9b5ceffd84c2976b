// Lives through the scenarios, in a page: see scenarios/README.md.

import { checkMnemonic, version, Wallet, walletExists, type EventEnvelope, type WalletConfig } from 'kite-wallet';
import { Log } from './log.ts';
import { pay } from './pay.ts';

interface Step {
  do?: string;
  until?: string;
  hear?: unknown;
  world?: string;
  example?: string;
  with?: Record<string, unknown>;
  as?: string;
  expect?: unknown;
  fails?: unknown;
  varies?: string[];
}

/** What the devnet says of itself. */
export interface World {
  esplora_url: string;
  proxy_url: string;
  control_url: string;
  peers: { name: string }[];
}

// What a step gives is checked by the package, as it would be for an app in JavaScript.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Given = any;

const PATIENCE_MILLIS = 60_000;
/** A payment is known to one side a round trip before the other can spend it. */
const WORLD_PATIENCE_MILLIS = 10_000;

const METHODS: Record<string, (wallet: Wallet, given: Given) => unknown> = {
  balance: (wallet) => wallet.balance(),
  closeChannel: (wallet, { id }) => wallet.closeChannel(id),
  connectPeer: (wallet, { nodeId, address }) => wallet.connectPeer(nodeId, address),
  disconnectPeer: (wallet, { nodeId }) => wallet.disconnectPeer(nodeId),
  estimateOpenChannel: (wallet, { request }) => wallet.estimateOpenChannel(request),
  fees: (wallet) => wallet.fees(),
  forceCloseChannel: (wallet, { id }) => wallet.forceCloseChannel(id),
  getPayment: (wallet, { id }) => wallet.getPayment(id),
  info: (wallet) => wallet.info(),
  listChannels: (wallet) => wallet.listChannels(),
  listPayments: (wallet, { filter }) => wallet.listPayments(filter),
  listPeers: (wallet) => wallet.listPeers(),
  makeInvoice: (wallet, { request }) => wallet.makeInvoice(request),
  mnemonic: (wallet, { passphrase }) => wallet.mnemonic(passphrase),
  mnemonicWithDeviceKey: (wallet, { deviceKey }) => wallet.mnemonicWithDeviceKey(deviceKey),
  newAddress: (wallet) => wallet.newAddress(),
  openChannel: (wallet, { request }) => wallet.openChannel(request),
  parse: (wallet, { text }) => wallet.parse(text),
  prepareSend: (wallet, { request }) => wallet.prepareSend(request),
  refresh: (wallet) => wallet.refresh(),
  safeToClose: (wallet) => wallet.safeToClose(),
  send: (wallet, { quote }) => wallet.send(quote),
  sendOnchain: (wallet, { request }) => wallet.sendOnchain(request),
  start: (wallet) => wallet.start(),
  stop: (wallet) => wallet.stop(),
  waitPayment: (wallet, { id, timeoutSecs }) => wallet.waitPayment(id, timeoutSecs),
};

const CONSTRUCTORS: Record<string, (config: WalletConfig, given: Given) => Promise<Wallet>> = {
  create: (config, { passphrase, mnemonic }) => Wallet.create(config, passphrase, mnemonic),
  createWithDeviceKey: (config, { deviceKey, mnemonic }) => Wallet.createWithDeviceKey(config, deviceKey, mnemonic),
  open: (config, { passphrase }) => Wallet.open(config, passphrase),
  openWithDeviceKey: (config, { deviceKey }) => Wallet.openWithDeviceKey(config, deviceKey),
};

export class Life {
  private wallet: Wallet | undefined;
  private readonly variables: Map<string, unknown>;
  private readonly log: Log;

  constructor(private readonly world: World, varying: string[]) {
    this.variables = new Map(world.peers.map((peer) => [peer.name, peer]));
    this.log = new Log(varying);
  }

  /** Takes every step of a scenario and gives its log. */
  async live(scenario: string): Promise<string> {
    for (const step of read(scenario)) {
      try {
        const given = await this.take(step);
        if (step.as) this.variables.set(step.as, given);
      } catch (error) {
        throw new Error(`${shown(step)}: ${error}`);
      }
    }
    return this.log.take();
  }

  private async take(step: Step): Promise<unknown> {
    if (step.hear !== undefined) {
      const { event, seq } = await this.hear();
      if (!matches(this.resolved(step.hear), event)) throw new Error(`the next event is ${shown(event)}`);
      this.log.write({ hear: event, seq }, step.varies);
      return event;
    }
    if (step.world !== undefined) {
      const given = await this.askWorld(step.world, this.resolved(step.with ?? {}));
      this.log.write({ world: step.world }, step.varies);
      return given;
    }
    if (step.example !== undefined) {
      const given = await this.example(step.example, this.resolved(step.with));
      if (!matches(this.resolved(step.expect ?? {}), given)) throw new Error(`it gives ${shown(given)}`);
      this.log.write({ example: step.example, gives: given }, step.varies);
      return given;
    }
    return this.askWallet(step);
  }

  private async askWallet(step: Step): Promise<unknown> {
    const call = step.do ?? step.until ?? '';
    const end = Date.now() + (step.until ? PATIENCE_MILLIS : 0);
    for (;;) {
      // Looks at the chain now, and not when it would anyway. What is wrong is told by the call itself.
      if (step.until) await this.wallet?.refresh().catch(() => undefined);
      const outcome = await this.call(call, this.resolved(step.with ?? {})).then(
        (gives) => ({ gives }),
        (thrown: unknown) => ({ fails: failure(thrown) }),
      );
      const expected =
        'fails' in outcome
          ? step.fails !== undefined && matches(this.resolved(step.fails), outcome.fails)
          : step.fails === undefined && (step.expect === undefined || matches(this.resolved(step.expect), outcome.gives));
      if (expected) {
        this.log.write({ do: call, ...outcome }, step.varies);
        return 'fails' in outcome ? outcome.fails : outcome.gives;
      }
      if (Date.now() >= end) throw new Error(shown(outcome));
      await pause();
    }
  }

  private async call(name: string, given: Given): Promise<unknown> {
    if (name === 'version') return version();
    if (name === 'checkMnemonic') return checkMnemonic(given.words);
    if (name === 'walletExists') return walletExists(this.config(given.config));
    const make = CONSTRUCTORS[name];
    if (make) {
      this.wallet = await make(this.config(given.config), given);
      return undefined;
    }
    const method = METHODS[name];
    if (!method || !this.wallet) throw new Error(`no call is named ${name}, or no wallet is open`);
    return method(this.wallet, given);
  }

  private async example(name: string, { passphrase, nodeId, address, invoice }: Given): Promise<unknown> {
    if (name !== 'pay') throw new Error(`no example is named ${name}`);
    return pay(this.config(), passphrase, nodeId, address, invoice);
  }

  /** The app's own settings, with those that the step names in their place. */
  private config(other: Partial<WalletConfig> = {}): WalletConfig {
    const { esplora_url: esploraUrl, proxy_url: proxyUrl } = this.world;
    return { network: 'regtest', data: 'wallet', esploraUrl, proxyUrl, ...other };
  }

  /** The next event but for passing news, which depend on the network. It is handled. */
  private async hear(): Promise<EventEnvelope> {
    const wallet = this.wallet;
    if (!wallet) throw new Error('no wallet is open');
    const hurry = setInterval(() => void wallet.refresh().catch(() => undefined), 1_000);
    try {
      for (;;) {
        const told = await Promise.race([wallet.nextEvent(), late('no event comes')]);
        if (told.seq > 0n) await wallet.eventHandled(told.seq);
        if (told.seq > 0n || told.event.type === 'stopped') return told;
      }
    } finally {
      clearInterval(hurry);
    }
  }

  private async askWorld(path: string, body: unknown): Promise<unknown> {
    const end = Date.now() + WORLD_PATIENCE_MILLIS;
    for (;;) {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(this.world.control_url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      if (answer.ok) return answer.json();
      if (Date.now() >= end) throw new Error(await answer.text());
      await pause();
    }
  }

  /** The same with each `$name` and `$name.field` replaced by what it stands for. */
  private resolved(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.resolved(item));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, this.resolved(field)]));
    }
    if (typeof value !== 'string' || !value.startsWith('$')) return value;
    const [name = '', ...path] = value.slice(1).split('.');
    if (!this.variables.has(name)) throw new Error(`no variable is named ${name}`);
    return path.reduce<Given>((found, part) => found[part], this.variables.get(name));
  }
}

/** The steps; amounts are 64 bits wide, and `bigint` here. */
function read(scenario: string): Step[] {
  const isAmount = (name: string, value: unknown): value is number => /(Msat|Sat)$/.test(name) && typeof value === 'number';
  return JSON.parse(scenario, (name, value) => (isAmount(name, value) ? BigInt(value) : value)).steps;
}

/** An error of the wallet as plain data; what else is thrown is a mistake of this test. */
function failure(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error) || !('kind' in thrown)) throw thrown;
  const { name: _, ...fields } = { ...thrown } as Record<string, unknown>;
  return { ...fields, message: thrown.message };
}

/** Of an object the named fields, of a list every entry. Null is unset. */
function matches(expected: unknown, found: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(found) && expected.length === found.length && expected.every((item, at) => matches(item, found[at]));
  }
  if (typeof expected === 'object' && expected !== null) {
    const fields = Object(found) as Record<string, unknown>;
    return Object.entries(expected).every(([name, value]) => matches(value, fields[name]));
  }
  return (expected ?? undefined) === (found ?? undefined);
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? Number(field) : field));
}

function pause(): Promise<void> {
  return new Promise((go) => setTimeout(go, 100));
}

function late(what: string): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(what)), PATIENCE_MILLIS));
}
