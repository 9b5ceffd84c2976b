// One payment: on its way, its outcome, and everything known about it. A reload in the middle comes back to here.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Payment, Event as WalletEvent } from 'kite-wallet';
import { say, type App } from '../app.ts';
import { dateText, plainSat, tookText } from '../format.ts';
import { linkTo } from '../route.ts';
import { explain, explainPayment } from '../sentences.ts';
import { alarm, closeFacts, comingBack } from './close.ts';
import { icon } from './icons.ts';
import { copyable, facts, heading, notice, sat, trouble } from './parts.ts';
import { kindText, paymentIcon, statusText } from './payment-line.ts';
import { Screen } from './screen.ts';

const POLL_MILLIS = 1500;

export class PaymentScreen extends Screen {
  readonly #id: string;
  #payment: Payment | undefined;
  #timer = 0;

  constructor(app: App, id: string) {
    super(app);
    this.#id = id;
    this.#payment = app.snapshot?.recent.find((payment) => payment.id === id);
  }

  get title(): string {
    return this.#payment ? this.#headline(this.#payment) : 'Payment';
  }

  override enter(): void {
    this.#timer = window.setInterval(() => this.#open && void this.#ask(), POLL_MILLIS);
    void this.#ask();
  }

  override leave(): void {
    clearInterval(this.#timer);
  }

  override onEvent(event: WalletEvent): boolean {
    void this.#ask();
    return 'id' in event && event.id === this.#id;
  }

  get #open(): boolean {
    return !this.#payment || this.#payment.status === 'pending' || this.#payment.status === 'inFlight';
  }

  async #ask(): Promise<void> {
    try {
      const payment = await this.app.wallet.getPayment(this.#id);
      const changed = this.#payment !== undefined && this.#payment.status !== payment.status;
      this.#payment = payment;
      if (changed && payment.kind === 'lightning') say(this.#spoken(payment));
    } catch (thrown) {
      if (!this.app.haltsOn(thrown)) this.failure = explain(thrown);
    }
    this.app.changed();
  }

  #headline(payment: Payment): string {
    if (payment.kind !== 'lightning') return kindText(payment);
    const incoming = payment.direction === 'incoming';
    switch (payment.status) {
      case 'succeeded':
        return incoming ? 'Received' : 'Paid';
      case 'failed':
        return 'Not paid';
      case 'expired':
        return 'Expired';
      default:
        return incoming ? 'Waiting to be paid' : 'On its way';
    }
  }

  #spoken(payment: Payment): string {
    const what = `${this.#headline(payment)}: ${plainSat(payment.amountMsat)} sat.`;
    return payment.failure ? `${what} ${explainPayment(payment.failure).what}` : what;
  }

  view(): TemplateResult {
    const payment = this.#payment;
    if (!payment) {
      return html`${heading('Payment', linkTo('history'))}${trouble(this.failure)}
        ${this.failure ? nothing : html`<div class="centered"><span class="spinner big" aria-hidden="true"></span></div>`}`;
    }
    return html`<a class="icon-button back" href=${linkTo('history')} aria-label="To the history" data-testid="back">${icon('back')}</a>
      <div class="outcome ${payment.status}" data-testid="outcome" data-status=${payment.status}>
        <div class="outcome-icon">${this.#open && payment.kind === 'lightning' && payment.direction === 'outgoing' ? html`<span class="spinner big" aria-hidden="true"></span>` : icon(payment.status === 'succeeded' ? 'check' : paymentIcon(payment))}</div>
        <h1 tabindex="-1">${this.#headline(payment)}</h1>
        <p class="outcome-amount">${sat(payment.amountMsat, { testid: 'payment-amount' })}</p>
        ${this.#summary(payment)}
      </div>
      ${trouble(this.failure)}${this.#details(payment)}
      <div class="buttons end">
        ${payment.status === 'failed' && payment.direction === 'outgoing' ? html`<a class="button primary" href=${linkTo('send', payment.invoice)}>Try again</a>` : nothing}
        <a class="button wide" href=${linkTo('home')} data-testid="done">Done</a>
      </div>`;
  }

  #summary(payment: Payment): TemplateResult | typeof nothing {
    if (payment.close) return html`${alarm(payment.close)}${comingBack(payment.close, this.app.snapshot?.info.height ?? 0)}`;
    if (payment.status === 'failed' && payment.failure) {
      const { what, next } = explainPayment(payment.failure);
      return notice('bad', html`<p><strong>${what}</strong></p><p>${next}</p>`, 'warning', 'payment-failure');
    }
    if (this.#open && payment.direction === 'outgoing' && payment.kind === 'lightning') {
      return html`<p class="hint">You may leave this page or close the tab: the payment goes on when the wallet is open again, and is never paid twice.</p>`;
    }
    if (payment.kind === 'channelOpen' && payment.status !== 'failed') return html`<p class="hint">From your on-chain coins into the channel: it stays yours.</p>`;
    if (payment.status !== 'succeeded' || payment.kind !== 'lightning' || payment.direction !== 'outgoing') return nothing;
    const parts = [
      payment.hops === undefined ? '' : payment.hops === 1 ? 'directly' : `over ${payment.hops} hops`,
      payment.tookMillis === undefined ? '' : `in ${tookText(payment.tookMillis)}`,
    ].filter(Boolean);
    return parts.length > 0 ? html`<p class="hint">${parts.join(', ')}</p>` : nothing;
  }

  #details(payment: Payment): TemplateResult {
    return html`<section class="card" aria-label="Details">
      ${facts([
        payment.feeMsat !== undefined && { label: 'Fee', value: sat(payment.feeMsat, { testid: 'payment-fee' }) },
        payment.hops !== undefined && { label: 'Route', value: payment.hops === 1 ? '1 hop' : `${payment.hops} hops`, testid: 'payment-hops' },
        payment.tookMillis !== undefined && { label: 'Time taken', value: tookText(payment.tookMillis), testid: 'payment-took' },
        payment.status !== 'succeeded' && { label: 'Status', value: statusText(payment) },
        payment.confirmations !== undefined && { label: 'Blocks', value: String(payment.confirmations), testid: 'payment-confirmations' },
        payment.description ? { label: payment.close ? 'Why' : 'For', value: payment.description } : undefined,
        ...(payment.close ? closeFacts(payment.close) : []),
        payment.note ? { label: 'Note', value: payment.note } : undefined,
        { label: 'Begun', value: dateText(payment.createdAtSecs) },
        payment.settledAtSecs !== undefined && { label: 'Done', value: dateText(payment.settledAtSecs) },
        payment.preimage ? { label: 'Proof of payment (preimage)', value: copyable('the preimage', payment.preimage, 'payment-preimage'), long: true } : undefined,
        payment.paymentHash ? { label: 'Payment hash', value: copyable('the payment hash', payment.paymentHash, 'payment-hash'), long: true } : undefined,
        payment.txid ? { label: 'Transaction', value: copyable('the transaction id', payment.txid, 'payment-txid'), long: true } : undefined,
      ])}
      ${payment.invoice ? html`<details class="quiet"><summary>Invoice</summary><p>${copyable('the invoice', payment.invoice, 'payment-invoice')}</p></details>` : nothing}
    </section>`;
  }
}
