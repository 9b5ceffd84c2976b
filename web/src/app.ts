// What the page knows and how it got there: settings, the wallet behind its worker, and the newest answers.

import type { Balance, Channel, EventEnvelope, Info, Payment, Peer, WalletConfig, Event as WalletEvent } from 'kite-wallet';
import { NO_WALLET, RemoteError, startWallet, type RemoteWallet } from 'kite-wallet/remote';
import { readConfig, readWorld, type HostConfig, type World } from './config.ts';
import { sayEvent } from './event-sentences.ts';
import { codeOf } from './failure.ts';
import { haltOf, type Halt } from './halt.ts';
import { Unsettled } from './unsettled.ts';

export type Phase =
  | { name: 'starting' }
  | { name: 'elsewhere' }
  | { name: 'onboarding' }
  | { name: 'locked' }
  | { name: 'running' }
  | { name: 'halted'; halt: Halt; reason: string };

export type Tone = 'plain' | 'good' | 'bad';

/** A short text over the screen. */
export interface Toast {
  text: string;
  tone: Tone;
  /** The kind of event it tells of; unset where it tells of none. */
  about: WalletEvent['type'] | undefined;
}

/** Everything the screens show, as of the last refresh. */
export interface Snapshot {
  info: Info;
  balance: Balance;
  channels: Channel[];
  peers: Peer[];
  recent: Payment[];
}

/** Why a wallet stopped by itself. One that was closed by the page needs no word. */
const STOPS: Record<string, Halt> = { lease_lost: 'taken', store_full: 'full', store_unavailable: 'storage' };

const REFRESH_MILLIS = 2000;
const RECENT = 6;
const MAX_TRIES = 25;
const RETRY_MILLIS = 200;
const TOAST_MILLIS = 6000;
/** More would cover the screen: the oldest go, except bad news. */
const MAX_TOASTS = 3;
/** How long the chain may be out of reach before the page says so. */
const PATIENCE_MILLIS = 12_000;

export class App {
  phase: Phase = { name: 'starting' };
  config: HostConfig | undefined;
  world: World = { nodes: [] };
  snapshot: Snapshot | undefined;
  online = navigator.onLine;
  /** The owner has read what is young about Kite on mainnet, and goes on. */
  acceptsYoungMainnet = false;
  toasts: Toast[] = [];
  readonly unsettled = new Unsettled();
  /** Called after anything changed. */
  onChange: () => void = () => undefined;
  /** Called for each event of the wallet; says whether the screen itself shows what happened. */
  onEvent: (event: WalletEvent) => boolean = () => false;

  #wallet: RemoteWallet | undefined;
  #refreshing: Promise<void> | undefined;
  #refreshAgain = false;
  #outOfTouchSince: number | undefined;
  #askedAt: number | undefined;
  #started = false;

  /** The wallet. Only screens of a phase that has one ask for it. */
  get wallet(): RemoteWallet {
    if (!this.#wallet) throw new RemoteError({ kind: NO_WALLET, message: 'no wallet is open', fields: {} });
    return this.#wallet;
  }

  /** What the wallet itself needs of the settings. */
  get walletConfig(): WalletConfig {
    const { network, data, esploraUrl, proxyUrl } = this.config as HostConfig;
    // A wallet that is there was made by an owner who had accepted it.
    const acceptYoungMainnet = this.phase.name !== 'onboarding' || this.acceptsYoungMainnet;
    return { network, data, esploraUrl, proxyUrl, acceptYoungMainnet };
  }

  get chainOutOfReach(): boolean {
    return this.#outOfTouchSince !== undefined && Date.now() - this.#outOfTouchSince > PATIENCE_MILLIS;
  }

  /** The worker has not answered for long. */
  get slow(): boolean {
    return this.#askedAt !== undefined && Date.now() - this.#askedAt > PATIENCE_MILLIS;
  }

  async begin(): Promise<void> {
    for (const name of ['online', 'offline']) {
      addEventListener(name, () => {
        this.online = navigator.onLine;
        this.#hurry();
        this.#readWorld();
        this.changed();
      });
    }
    document.addEventListener('visibilitychange', () => this.#hurry());
    addEventListener('beforeunload', (event) => {
      if (this.phase.name === 'running' && this.snapshot && !this.snapshot.info.safeToClose) event.preventDefault();
    });
    setInterval(() => void this.refresh(), REFRESH_MILLIS);
    try {
      this.config = await readConfig();
    } catch (reason) {
      return this.halt('settings', messageOf(reason));
    }
    this.#readWorld();
    this.#takeTab();
  }

  changed(): void {
    this.onChange();
  }

  to(phase: Phase): void {
    this.phase = phase;
    this.changed();
  }

  halt(halt: Halt, reason: string): void {
    if (this.phase.name === 'halted') return;
    this.toasts = [];
    this.to({ name: 'halted', halt, reason });
  }

  /** Shows a short notice, and says it to screen readers. Bad news stays until it is dismissed. */
  tell(text: string, tone: Tone = 'plain', about?: WalletEvent['type']): void {
    const toast = { text, tone, about };
    this.toasts = [...this.toasts.filter((shown) => shown.text !== text), toast];
    const passing = this.toasts.find((shown) => shown.tone !== 'bad' && shown !== toast);
    if (this.toasts.length > MAX_TOASTS && passing) this.toasts = this.toasts.filter((shown) => shown !== passing);
    if (tone !== 'bad') setTimeout(() => this.dismiss(toast), TOAST_MILLIS);
    say(text);
    this.changed();
  }

  dismiss(toast: Toast): void {
    this.toasts = this.toasts.filter((shown) => shown !== toast);
    this.changed();
  }

  /** Takes away what was told of such events: what is done now makes it old. */
  forget(about: WalletEvent['type']): void {
    this.toasts = this.toasts.filter((shown) => shown.about !== about);
    this.changed();
  }

  /** Takes the notices away that need not be read, as when another screen is shown. */
  hush(): void {
    this.toasts = this.toasts.filter((shown) => shown.tone === 'bad');
  }

  /** Goes to the halted screen if this error ends the wallet; says whether it does. */
  haltsOn(thrown: unknown): boolean {
    const halted = haltOf(thrown);
    if (halted) {
      this.halt(halted.halt, halted.reason);
      return true;
    }
    if (codeOf(thrown) !== 'already_open') return false;
    this.to({ name: 'elsewhere' });
    return true;
  }

  /**
   * Opens or creates the wallet. This tab is the only one; but the worker of a page that was just left, by a reload, may
   * still hold the wallet for a moment.
   */
  async enter(how: (wallet: RemoteWallet) => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await how(this.wallet);
      } catch (thrown) {
        if (codeOf(thrown) !== 'already_open' || tries === MAX_TRIES) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
      }
    }
  }

  /** Begins with the opened wallet. */
  async run(): Promise<void> {
    await this.wallet.start();
    this.#started = true;
    void navigator.storage?.persist?.();
    await this.refresh();
    if (this.phase.name !== 'halted') this.to({ name: 'running' });
  }

  /** A new worker in place of one that broke or stopped. */
  async restart(): Promise<void> {
    this.#letGo()?.end();
    this.snapshot = undefined;
    this.to({ name: 'starting' });
    await this.#startWorker();
  }

  /** Stops the wallet and asks for the passphrase again. */
  async lock(): Promise<void> {
    // Let go first: what is asked of it from now on would only hear that it has stopped.
    const wallet = this.#letGo();
    await wallet?.stop();
    wallet?.end();
    await this.restart();
  }

  #letGo(): RemoteWallet | undefined {
    const wallet = this.#wallet;
    this.#wallet = undefined;
    this.#started = false;
    this.#askedAt = undefined;
    return wallet;
  }

  /** Asks the wallet for everything the screens show. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#refreshAgain = true;
      return this.#refreshing;
    }
    const wallet = this.#wallet;
    if (!wallet || !this.#started || this.phase.name === 'halted') return Promise.resolve();
    this.#askedAt = Date.now();
    this.#refreshing = this.#ask(wallet).finally(() => {
      this.#refreshing = undefined;
      this.#askedAt = undefined;
      if (!this.#refreshAgain) return;
      this.#refreshAgain = false;
      void this.refresh();
    });
    return this.#refreshing;
  }

  #readWorld(): void {
    if (!this.config || this.world.nodes.length > 0) return;
    void readWorld(this.config).then((world) => {
      this.world = world;
      this.changed();
    });
  }

  /** Back in front, or back online: no reason to wait for the next round. */
  #hurry(): void {
    if (!this.#wallet || !this.#started || !this.online || document.visibilityState === 'hidden') return;
    this.#wallet.refresh().catch((thrown: unknown) => this.haltsOn(thrown));
    void this.refresh();
  }

  async #ask(wallet: RemoteWallet): Promise<void> {
    try {
      const [info, balance, channels, peers, recent] = await Promise.all([
        wallet.info(),
        wallet.balance(),
        wallet.listChannels(),
        wallet.listPeers(),
        wallet.listPayments({ limit: RECENT }),
      ]);
      const moves = info.height !== this.snapshot?.info.height;
      this.snapshot = { info, balance, channels, peers, recent };
      // Whoever gets new blocks is in touch.
      if (info.synced) this.#outOfTouchSince = undefined;
      else if (moves) this.#outOfTouchSince = Date.now();
      else this.#outOfTouchSince ??= Date.now();
    } catch (thrown) {
      if (wallet === this.#wallet) this.haltsOn(thrown);
    }
    this.changed();
  }

  /**
   * One tab at a time: another one says so before it asks for a passphrase, and goes on when this one is closed. The
   * wallet's own lock cannot do that: it is taken with the passphrase, and refused rather than waited for. That one guards
   * the stored wallet, from whatever page; this one is for the person.
   */
  #takeTab(): void {
    const name = `kite-tab:${(this.config as HostConfig).data}`;
    const untilClosed = new Promise<never>(() => undefined);
    const hold = (): Promise<never> => {
      void this.#startWorker();
      return untilClosed;
    };
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (lock) return hold();
      this.to({ name: 'elsewhere' });
      void navigator.locks.request(name, hold);
      return undefined;
    });
  }

  async #startWorker(): Promise<void> {
    this.#started = false;
    try {
      this.#wallet = await startWallet({
        onEvent: (envelope) => this.#take(envelope),
        onFault: (reason) => this.halt('engine', reason),
      });
      const exists = await this.#wallet.exists(this.walletConfig);
      this.to({ name: exists ? 'locked' : 'onboarding' });
    } catch (reason) {
      if (!this.haltsOn(reason)) this.halt('engine', messageOf(reason));
    }
  }

  async #take({ event }: EventEnvelope): Promise<void> {
    if (event.type === 'stopped') {
      const halt = STOPS[event.reason];
      if (!halt) return;
      // Whatever is asked now is answered with the reason.
      await this.refresh();
      return this.halt(halt, '');
    }
    await this.refresh();
    const shown = this.onEvent(event);
    const said = sayEvent(event);
    if (said && !shown) this.tell(said.text, said.tone, event.type);
  }
}

/** Lets screen readers say something. */
export function say(text: string): void {
  const live = document.getElementById('said');
  if (!live) return;
  live.textContent = '';
  // A reader notices a change only after the empty text was there for a moment.
  setTimeout(() => (live.textContent = text), 60);
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
