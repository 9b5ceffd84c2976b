// The wallet at a glance: what can be spent and received, what is elsewhere, and the last payments.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Balance, Channel } from 'kite-wallet';
import { explain } from '../sentences.ts';
import { linkTo } from '../route.ts';
import { icon } from './icons.ts';
import { balanceBar, facts, notice, sat, satOf, trouble } from './parts.ts';
import { paymentLine } from './payment-line.ts';
import { Screen } from './screen.ts';
import { wordsUnconfirmed } from './words-confirmed.ts';

/** What the faucet of a devnet gives at once. */
const FAUCET_SAT = 1_000_000n;

export class HomeScreen extends Screen {
  readonly title = 'Wallet';

  view(): TemplateResult {
    const { snapshot } = this.app;
    if (!snapshot) return html`<h1 class="sr-only" tabindex="-1">Wallet</h1><div class="centered"><span class="spinner big" aria-hidden="true"></span><p>Reading the wallet…</p></div>`;
    const { balance, channels, recent } = snapshot;
    return html`<h1 class="sr-only" tabindex="-1">Wallet</h1>
      <div class="home">
        <div class="home-main">
          ${this.#spendable(balance)}
          <div class="pair">
            <a class="button primary big" href=${linkTo('send')} data-testid="send">${icon('send')}Send</a>
            <a class="button big" href=${linkTo('receive')} data-testid="receive">${icon('receive')}Receive</a>
          </div>
          ${trouble(this.failure)}
          ${wordsUnconfirmed(this.app.walletConfig.data)
            ? notice('warn', html`<p><strong>Your 12 words are not confirmed yet.</strong> Without them nothing brings your keys back. <a href=${linkTo('settings')}>See them in the settings</a>.</p>`)
            : nothing}
          ${this.#nextStep(balance, channels)}${this.#parts(balance)}
        </div>
        <section class="card" aria-labelledby="recent">
          <div class="card-head"><h2 id="recent">Last payments</h2>${recent.length > 0 ? html`<a href=${linkTo('history')}>All</a>` : nothing}</div>
          ${recent.length === 0
            ? html`<p class="empty">Nothing yet. What you pay and receive appears here.</p>`
            : html`<ul class="payments">${recent.map(paymentLine)}</ul>`}
        </section>
      </div>`;
  }

  #spendable(balance: Balance): TemplateResult {
    const { spendableMsat, receivableMsat } = balance;
    return html`<section class="hero" aria-label="Balance">
      <p class="hero-label">You can spend${this.app.config?.network === 'bitcoin' ? nothing : html`<span class="network on-phone">${this.app.config?.network}</span>`}</p>
      <p class="hero-amount">${sat(spendableMsat, { testid: 'spendable' })}</p>
      ${spendableMsat + receivableMsat > 0n ? balanceBar(spendableMsat, receivableMsat, 'What you can spend, beside what you can receive') : nothing}
      <p class="hero-receivable"><span>You can receive</span> ${sat(receivableMsat, { testid: 'receivable' })}</p>
    </section>`;
  }

  #parts(balance: Balance): TemplateResult {
    const { inFlightMsat, closingSat, onchainSat, onchainPendingSat, reservedSat, totalMsat } = balance;
    return html`<section class="card" aria-labelledby="parts">
      <div class="card-head"><h2 id="parts">All your money</h2><strong>${sat(totalMsat, { testid: 'total' })}</strong></div>
      ${facts([
        { label: 'On-chain', value: satOf(onchainSat, { testid: 'onchain' }) },
        reservedSat > 0n && { label: 'of that kept for closing channels', value: satOf(reservedSat, { testid: 'reserved' }) },
        onchainPendingSat > 0n && { label: 'On-chain, waiting for a block', value: satOf(onchainPendingSat, { testid: 'onchain-pending' }) },
        { label: 'In flight', value: sat(inFlightMsat, { testid: 'in-flight' }) },
        { label: 'In closing channels', value: satOf(closingSat, { testid: 'closing' }) },
      ])}
      <details class="quiet"><summary>Why can I not spend all of it?</summary>
        <p>Lightning spends what is in your channels. Each channel keeps a small reserve of yours until it closes, the other node limits how much may be on its way at once, money in flight is not yours to use yet, and on-chain coins become spendable here when you open a channel with them.</p>
      </details>
    </section>`;
  }

  #nextStep(balance: Balance, channels: Channel[]): TemplateResult | typeof nothing {
    const live = channels.filter((channel) => channel.state !== 'closed' && channel.state !== 'failed');
    const opening = live.find((channel) => channel.state === 'opening' || channel.state === 'pending');
    if (live.some((channel) => channel.state === 'ready')) return this.#faucet('quiet');
    if (opening) {
      return html`<section class="card step" data-testid="next-step">
        <div class="step-icon">${icon('block')}</div>
        <div><h2>Your channel is being opened</h2><p>${opening.confirmations} of ${opening.confirmationsNeeded || '?'} blocks. You can pay as soon as it is ready.</p></div>
      </section>`;
    }
    if (balance.onchainSat > 0n) {
      return html`<section class="card step" data-testid="next-step">
        <div class="step-icon">${icon('channels')}</div>
        <div><h2>Open a channel</h2><p>Your coins are on-chain. Put some into a channel to pay in an instant.</p>
          <a class="button primary" href=${linkTo('open-channel')} data-testid="open-channel">Open a channel</a></div>
      </section>`;
    }
    if (balance.onchainPendingSat > 0n) {
      return html`<section class="card step" data-testid="next-step">
        <div class="step-icon">${icon('clock')}</div>
        <div><h2>Coins are on their way</h2><p>They count after the next block. Then you can open a channel with them.</p></div>
      </section>`;
    }
    return html`<section class="card step" data-testid="next-step">
      <div class="step-icon">${icon('drop')}</div>
      <div><h2>Fill the wallet</h2><p>Send some coins to its on-chain address first. You open a channel with them next.</p>
        <div class="buttons">${this.#faucet('button')}<a class="button" href=${linkTo('receive', 'onchain')}>Show my address</a></div></div>
    </section>`;
  }

  #faucet(look: 'button' | 'quiet'): TemplateResult | typeof nothing {
    if (!this.app.world.faucet || this.app.config?.network !== 'regtest') return nothing;
    const button = html`<button class=${look === 'button' ? 'button primary' : 'link'} type="button" ?disabled=${this.busy} data-testid="faucet" @click=${() => void this.#pour()}>
      ${this.busy ? html`<span class="spinner" aria-hidden="true"></span>` : icon('drop')}Get test coins
    </button>`;
    return look === 'button' ? button : html`<p class="devnet-row">Devnet: ${button}</p>`;
  }

  async #pour(): Promise<void> {
    await this.attempt(async () => {
      const address = await this.app.wallet.newAddress();
      try {
        await this.app.world.faucet?.(address, FAUCET_SAT);
      } catch (thrown) {
        return this.fail({ ...explain(thrown), next: 'See that the devnet still runs, and try again.' });
      }
      this.app.tell('The faucet has sent 1 000 000 sat. They arrive with the next block.');
      await this.app.refresh();
    });
  }
}
