// Opening a channel: with whom and how much, then what it costs, then yes.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { FeeRates, OpenChannelQuote, OpenChannelRequest } from 'kite-wallet';
import type { App } from '../app.ts';
import { nodeAddress, parseSat, satText, shortId } from '../format.ts';
import { goTo, linkTo } from '../route.ts';
import { nodeName, type Explanation } from '../sentences.ts';
import { codeOf } from '../failure.ts';
import { icon } from './icons.ts';
import { entries, facts, field, heading, notice, sat, satOf, submit, trouble } from './parts.ts';
import { Screen } from './screen.ts';

interface Choice {
  nodeId: string;
  address: string;
  connected: boolean;
  name: string;
}

type Speed = 'background' | 'normal' | 'urgent';

const OTHER = 'other';

export class OpenChannelScreen extends Screen {
  readonly title = 'Open a channel';
  readonly #given: string;
  #chosen: string | undefined;
  #typedAmount = '';
  #speed: Speed = 'normal';
  #fees: FeeRates | undefined;
  /** How much of the on-chain coins a channel can take, its fee included; unset until the wallet has said it. */
  #usableSat: bigint | undefined;
  #request: OpenChannelRequest | undefined;
  #quote: OpenChannelQuote | undefined;
  #errors: Record<string, string> = {};

  constructor(app: App, given: string | undefined) {
    super(app);
    this.#given = given ?? '';
    if (this.#given !== '') this.#chosen = this.#choices().some((choice) => choice.nodeId === given) ? given : OTHER;
  }

  override enter(): void {
    void this.app.wallet.fees().then(
      (fees) => {
        this.#fees = fees;
        this.app.changed();
      },
      // Without rates the wallet still chooses one itself.
      (thrown: unknown) => this.app.haltsOn(thrown),
    );
    void this.#askUsable();
  }

  override onEvent(): boolean {
    void this.#askUsable();
    return false;
  }

  /** All coins at once are always too many, since some are kept for closing: the wallet answers with what can be used. */
  async #askUsable(): Promise<void> {
    const { info, balance } = this.app.snapshot ?? {};
    if (!info || !balance || balance.onchainSat === 0n) return;
    try {
      // With whom does not matter here: the wallet's own id stands for any node.
      await this.app.wallet.estimateOpenChannel({ nodeId: info.nodeId, amountSat: balance.onchainSat });
    } catch (thrown) {
      if (codeOf(thrown) === 'insufficient_funds') this.#usableSat = (thrown as { availableMsat: bigint }).availableMsat / 1000n;
      else this.app.haltsOn(thrown);
    }
    this.app.changed();
  }

  view(): TemplateResult {
    return this.#quote ? this.#review(this.#quote) : this.#form();
  }

  /** Connected peers first, then the nodes of a devnet. */
  #choices(): Choice[] {
    const { nodes } = this.app.world;
    const peers = (this.app.snapshot?.peers ?? []).map((peer) => ({ ...peer, name: nodeName(peer.nodeId, nodes) }));
    const others = nodes.filter((node) => peers.every((peer) => peer.nodeId !== node.nodeId));
    return [...peers, ...others.map(({ nodeId, address, alias }) => ({ nodeId, address, name: alias, connected: false }))];
  }

  #form(): TemplateResult {
    const choices = this.#choices();
    const chosen = this.#chosen ?? choices[0]?.nodeId ?? OTHER;
    const { onchainSat: onchain = 0n, onchainPendingSat: pending = 0n } = this.app.snapshot?.balance ?? {};
    return html`${heading('Open a channel', linkTo('channels'))}
      ${onchain > 0n ? nothing : pending > 0n
        ? notice('warn', html`<p><strong>Your coins wait for a block.</strong> ${satOf(pending)} are on their way. A channel can be opened with them once they are in a block.</p>`, 'clock', 'coins-wait')
        : notice('warn', html`<p><strong>There are no coins on-chain yet.</strong> A channel is opened with them. <a href=${linkTo('receive', 'onchain')}>Show my address</a></p>`)}
      <form novalidate @input=${() => this.forgive()} @submit=${(event: Event) => void this.#submit(event)}>
        <fieldset class="field">
          <legend>With</legend>
          <div class="choices">
            ${choices.map((choice) => this.#radio('node', choice.nodeId, chosen === choice.nodeId, html`<span class="choice-name">${choice.name}</span>${choice.name === shortId(choice.nodeId) ? nothing : html`<span class="choice-note mono">${shortId(choice.nodeId, 4)}</span>`}${choice.connected ? html`<span class="badge good">Connected</span>` : nothing}`, `node-${choice.name}`))}
            ${choices.length > 0 ? this.#radio('node', OTHER, chosen === OTHER, html`<span class="choice-name">Another node</span>`, 'node-other') : nothing}
          </div>
        </fieldset>
        ${chosen === OTHER ? field({ name: 'address', label: 'Address of the node', testid: 'node-address', mono: true, value: this.#given, placeholder: '02ab…@host:9735', hint: 'Its id, an @, and where it is reached.', error: this.#errors['address'] }) : nothing}
        ${field({ name: 'amount', label: 'Amount', testid: 'channel-amount', suffix: 'sat', inputmode: 'numeric', value: this.#typedAmount, hint: this.#amountHint(onchain, pending), error: this.#errors['amount'] })}
        <fieldset class="field">
          <legend>How soon</legend>
          <div class="choices three">
            ${this.#speedRadio('background', 'No hurry', this.#fees?.backgroundSatPerVb)}
            ${this.#speedRadio('normal', 'Normal', this.#fees?.normalSatPerVb)}
            ${this.#speedRadio('urgent', 'Soon', this.#fees?.urgentSatPerVb)}
          </div>
        </fieldset>
        ${trouble(this.failure)}${submit('Review', this.busy, 'channel-review', 'Reckoning…')}
      </form>`;
  }

  protected override forgive(): void {
    super.forgive();
    this.app.forget('channelOpenFailed');
  }

  #amountHint(onchain: bigint, pending: bigint): TemplateResult {
    const later = pending > 0n ? html` ${satOf(pending)} more come with the next block.` : nothing;
    if (this.#usableSat === undefined || this.#usableSat > onchain) return html`You have ${satOf(onchain)} on-chain.${later}`;
    return html`You can use ${satOf(this.#usableSat, { testid: 'usable' })}, the network’s fee included: ${satOf(onchain - this.#usableSat)} stay on-chain, to close your channels with.${later}`;
  }

  #radio(name: string, value: string, checked: boolean, body: TemplateResult, testid: string): TemplateResult {
    return html`<label class="choice"><input type="radio" name=${name} value=${value} .checked=${checked} data-testid=${testid} @change=${() => this.#choose(name, value)} />${body}</label>`;
  }

  #speedRadio(speed: Speed, label: string, rate: number | undefined): TemplateResult {
    return this.#radio('speed', speed, this.#speed === speed, html`<span class="choice-name">${label}</span>${rate === undefined ? nothing : html`<span class="choice-note">${rate} sat/vB</span>`}`, `speed-${speed}`);
  }

  #choose(name: string, value: string): void {
    if (name === 'node') this.#chosen = value;
    else this.#speed = value as Speed;
    this.app.changed();
  }

  #review(quote: OpenChannelQuote): TemplateResult {
    const request = this.#request as OpenChannelRequest;
    return html`<button class="link back-link" type="button" data-testid="back" @click=${() => this.#edit()}>${icon('back')}Back</button>
      ${heading('Review')}
      <section class="card review" data-testid="channel-quote">
        <p class="review-amount">${satOf(quote.amountSat, { testid: 'quote-amount' })}</p>
        ${facts([
          { label: 'With', value: html`<span title=${request.nodeId}>${nodeName(request.nodeId, this.app.world.nodes)}</span>` },
          { label: 'Network fee', value: satOf(quote.feeSat, { testid: 'quote-fee' }) },
          { label: 'Leaves your on-chain coins', value: html`<strong>${satOf(quote.totalSat, { testid: 'quote-total' })}</strong>` },
          { label: 'Reserve, yours at closing', value: satOf(quote.reserveSat, { testid: 'quote-reserve' }) },
          { label: 'You can spend after', value: sat(quote.spendableAfterMsat, { testid: 'quote-spendable' }) },
        ])}
      </section>
      ${trouble(this.failure)}
      <button class="button primary wide big" type="button" ?disabled=${this.busy} aria-busy=${this.busy ? 'true' : 'false'} data-testid="channel-open" @click=${() => void this.#open(request)}>
        ${this.busy ? html`<span class="spinner" aria-hidden="true"></span>Opening…` : 'Open the channel'}
      </button>`;
  }

  #edit(): void {
    this.#quote = undefined;
    this.step();
  }

  async #submit(event: Event): Promise<void> {
    const given = entries(event);
    this.#typedAmount = given['amount'] ?? '';
    this.#errors = {};
    this.forgive();
    const amount = parseSat(this.#typedAmount);
    if (!amount.ok) this.#errors['amount'] = amount.reason;
    const peer = this.#peer(given);
    if (!peer) this.#errors['address'] = 'It has the form 02ab…@host:port.';
    if (!amount.ok || !peer) return this.app.changed();
    await this.attempt(async () => {
      if (!peer.connected) await this.app.wallet.connectPeer(peer.nodeId, peer.address);
      const rate = this.#fees?.[`${this.#speed}SatPerVb`];
      this.#request = { nodeId: peer.nodeId, amountSat: amount.sat, feerateSatPerVb: rate };
      try {
        this.#quote = await this.app.wallet.estimateOpenChannel(this.#request);
      } catch (thrown) {
        if (codeOf(thrown) !== 'insufficient_funds') throw thrown;
        await this.app.refresh();
        return this.fail(this.#tooMuch(thrown));
      }
      void this.app.refresh();
      this.step();
    });
  }

  /** Coins pay for a channel, and only those in a block. */
  #tooMuch(thrown: unknown): Explanation {
    const { neededMsat, availableMsat } = thrown as { neededMsat: bigint; availableMsat: bigint };
    this.#usableSat = availableMsat / 1000n;
    const pending = this.app.snapshot?.balance.onchainPendingSat ?? 0n;
    return {
      what: `This needs ${satText(neededMsat)} sat with the network’s fee, and ${satText(availableMsat)} sat can be used for a channel now.`,
      next:
        pending > 0n
          ? `${satText(pending * 1000n)} sat wait for a block: try again after it, or lower the amount.`
          : 'Lower the amount, or add coins. A part stays on-chain, to close your channels with.',
    };
  }

  #peer(given: Record<string, string>): { nodeId: string; address: string; connected: boolean } | undefined {
    const listed = this.#choices().find((choice) => choice.nodeId === given['node']);
    if (listed) return listed;
    const typed = nodeAddress(given['address'] ?? '');
    return typed && { ...typed, connected: false };
  }

  async #open(request: OpenChannelRequest): Promise<void> {
    await this.attempt(async () => {
      await this.app.wallet.openChannel(request);
      await this.app.refresh();
      goTo('channels');
    });
  }
}
