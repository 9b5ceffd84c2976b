// Being paid: a Lightning invoice as a code that turns into "received", or an on-chain address.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Invoice, Payment, Event as WalletEvent } from 'kite-wallet';
import { say } from '../app.ts';
import { parseSat, plainSat, satText, spanText } from '../format.ts';
import { qrCode } from '../qr/encode.ts';
import { linkTo, readRoute } from '../route.ts';
import { explain } from '../sentences.ts';
import { TRY_SAT, tryIt } from './devnet.ts';
import { icon } from './icons.ts';
import { copy, copyable, entries, field, heading, notice, nowSecs, sat, submit, trouble } from './parts.ts';
import { Screen } from './screen.ts';

const POLL_MILLIS = 1500;
const EXPIRY_SECS = 3600;

export class ReceiveScreen extends Screen {
  readonly title = 'Receive';
  #way: 'lightning' | 'onchain' = readRoute(location.hash).subject === 'onchain' ? 'onchain' : 'lightning';
  #invoice: Invoice | undefined;
  #description = '';
  #payment: Payment | undefined;
  /** The invoice that a node of the devnet is paying. */
  #paid: Invoice | undefined;
  #address: string | undefined;
  #errors: Record<string, string> = {};
  #timer = 0;

  override enter(): void {
    this.#timer = window.setInterval(() => void this.#ask(), POLL_MILLIS);
    if (this.#way === 'onchain') void this.#makeAddress();
  }

  override leave(): void {
    clearInterval(this.#timer);
  }

  override onEvent(event: WalletEvent): boolean {
    void this.#ask();
    return 'id' in event && event.id === this.#invoice?.paymentId;
  }

  view(): TemplateResult {
    return html`${heading('Receive', linkTo('home'))}
      <div class="switch" role="group" aria-label="Way to receive">
        ${this.#switch('lightning', 'Lightning')}${this.#switch('onchain', 'On-chain')}
      </div>
      ${this.#way === 'onchain' ? this.#onchain() : this.#invoice ? this.#shown(this.#invoice) : this.#form()}`;
  }

  #switch(way: 'lightning' | 'onchain', label: string): TemplateResult {
    return html`<button type="button" aria-pressed=${this.#way === way ? 'true' : 'false'} data-testid=${`receive-${way}`} @click=${() => this.#choose(way)}>${label}</button>`;
  }

  #choose(way: 'lightning' | 'onchain'): void {
    this.#way = way;
    this.failure = undefined;
    if (way === 'onchain' && !this.#address) void this.#makeAddress();
    this.app.changed();
  }

  #form(): TemplateResult {
    const receivable = this.app.snapshot?.balance.receivableMsat ?? 0n;
    return html`<form novalidate @submit=${(event: Event) => void this.#submit(event)}>
      ${receivable === 0n
        ? notice('warn', html`<p><strong>You cannot receive over Lightning yet.</strong> It takes a channel with room on the other side: pay something first, or <a href=${linkTo('open-channel')}>open a channel</a>.</p>`)
        : nothing}
      ${field({
        name: 'amount',
        label: 'Amount',
        testid: 'invoice-amount',
        suffix: 'sat',
        inputmode: 'numeric',
        hint: html`You can receive up to ${sat(receivable)}. Leave it empty to let the payer choose.`,
        error: this.#errors['amount'],
      })}
      ${field({ name: 'description', label: 'What for', testid: 'invoice-description', hint: 'The payer sees it.', maxlength: 200 })}
      ${trouble(this.failure)}${submit('Make the invoice', this.busy, 'invoice-submit', 'Making it…')}
    </form>`;
  }

  #shown(invoice: Invoice): TemplateResult {
    const payment = this.#payment;
    if (payment?.status === 'succeeded') {
      return html`<div class="outcome succeeded" data-testid="received">
        <div class="outcome-icon">${icon('check')}</div>
        <h2>Received</h2>
        <p class="outcome-amount">${sat(payment.amountMsat, { testid: 'received-amount' })}</p>
        <div class="buttons end"><a class="button" href=${linkTo('payment', payment.id)}>Details</a><a class="button primary" href=${linkTo('home')} data-testid="done">Done</a></div>
      </div>`;
    }
    const left = Number(invoice.expiresAtSecs) - nowSecs();
    if (left <= 0) {
      return html`<div class="outcome expired"><div class="outcome-icon">${icon('clock')}</div><h2>Expired</h2><p>Nobody can pay this invoice any more.</p>
        <button class="button primary" type="button" @click=${() => this.#again()}>Make a new one</button></div>`;
    }
    const amount = invoice.amountMsat === undefined ? 'any amount' : `${plainSat(invoice.amountMsat)} sat`;
    return html`<div class="code-card" data-testid="invoice-card">
        <p class="code-amount">${invoice.amountMsat === undefined ? 'Any amount' : sat(invoice.amountMsat)}</p>
        ${this.#description ? html`<p class="code-for">${this.#description}</p>` : nothing}
        ${qrCode(invoice.qrText, `QR code of the invoice for ${amount}`)}
        <p class="waiting"><span class="spinner" aria-hidden="true"></span>Waiting to be paid, ${spanText(left)} left</p>
        <div class="pair">
          <button class="button primary" type="button" data-testid="invoice-copy" @click=${(event: Event) => void copy(invoice.invoice, event)}>${icon('copy')}<span class="when-idle">Copy</span><span class="when-done">Copied</span></button>
          <button class="button" type="button" data-testid="invoice-again" @click=${() => this.#again()}>New one</button>
        </div>
        <p class="mono invoice-text" data-testid="invoice-text" data-value=${invoice.invoice}>${invoice.invoice}</p>
      </div>
      ${this.#tryOffer(invoice)}${trouble(this.failure)}
      <p class="hint centered-text">Keep this page open: only an open wallet can receive.</p>`;
  }

  #tryOffer(invoice: Invoice): TemplateResult | typeof nothing {
    const { nodes, pay } = this.app.world;
    if (!pay) return nothing;
    return tryIt({ words: ['let', 'pay it'], nodes, testid: 'pay', busy: this.#paid === invoice, choose: (alias) => void this.#letPay(alias, invoice) });
  }

  #onchain(): TemplateResult {
    if (!this.#address) return html`${trouble(this.failure)}<div class="centered">${this.busy ? html`<span class="spinner big" aria-hidden="true"></span>` : nothing}</div>`;
    return html`<div class="code-card" data-testid="address-card">
        ${qrCode(`bitcoin:${this.#address}`.toUpperCase(), 'QR code of the address')}
        <p>${copyable('the address', this.#address, 'address')}</p>
      </div>
      <p class="hint centered-text">For bitcoin transactions. Coins arrive with the next block; use each address once.</p>`;
  }

  #again(): void {
    this.#invoice = undefined;
    this.#payment = undefined;
    this.step();
  }

  async #submit(event: Event): Promise<void> {
    const given = entries(event);
    this.#errors = {};
    const typed = given['amount']?.trim() ?? '';
    const amount = typed === '' ? undefined : parseSat(typed);
    if (amount && !amount.ok) {
      this.#errors = { amount: amount.reason };
      return this.app.changed();
    }
    this.#description = given['description']?.trim() ?? '';
    await this.attempt(async () => {
      const { receivableMsat } = await this.app.wallet.balance();
      if (amount && amount.sat * 1000n > receivableMsat) {
        this.#errors = { amount: `You can receive up to ${satText(receivableMsat)} sat now.` };
        return;
      }
      this.#invoice = await this.app.wallet.makeInvoice({
        amountMsat: amount ? amount.sat * 1000n : undefined,
        description: this.#description,
        expirySecs: EXPIRY_SECS,
      });
      this.step();
    });
  }

  /** Takes as long as the node needs; meanwhile another invoice can be made. */
  async #letPay(alias: string, invoice: Invoice): Promise<void> {
    this.#paid = invoice;
    this.forgive();
    try {
      await this.app.world.pay?.(alias, invoice.invoice, invoice.amountMsat === undefined ? TRY_SAT : undefined);
    } catch (thrown) {
      if (this.#invoice === invoice) this.fail({ ...explain(thrown), next: `See that the devnet still runs and that your channel is ready, or let another node than ${alias} pay.` });
    }
    if (this.#paid === invoice) this.#paid = undefined;
    this.app.changed();
  }

  async #makeAddress(): Promise<void> {
    await this.attempt(async () => {
      this.#address = await this.app.wallet.newAddress();
    });
  }

  async #ask(): Promise<void> {
    if (!this.#invoice || this.#payment?.status === 'succeeded') return;
    try {
      this.#payment = await this.app.wallet.getPayment(this.#invoice.paymentId);
      if (this.#payment.status === 'succeeded') say(`Received ${plainSat(this.#payment.amountMsat)} sat.`);
    } catch (thrown) {
      // The next round asks again; only an error that ends the wallet matters here.
      this.app.haltsOn(thrown);
    }
    this.app.changed();
  }
}
