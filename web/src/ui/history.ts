// All payments, newest first.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Direction, Payment } from 'kite-wallet';
import { heading, trouble } from './parts.ts';
import { paymentLine } from './payment-line.ts';
import { Screen } from './screen.ts';

const PAGE = 25;
/** The most that the wallet lists at once. */
const MOST = 1000;

const FILTERS: { label: string; direction: Direction | undefined; testid: string }[] = [
  { label: 'All', direction: undefined, testid: 'all' },
  { label: 'Sent', direction: 'outgoing', testid: 'sent' },
  { label: 'Received', direction: 'incoming', testid: 'received' },
];

export class HistoryScreen extends Screen {
  readonly title = 'History';
  #direction: Direction | undefined;
  #payments: Payment[] | undefined;
  #more = false;
  /** Something changed while the list was being read. */
  #again = false;

  override enter(): void {
    void this.#load();
  }

  override onEvent(): boolean {
    void this.#load();
    return false;
  }

  view(): TemplateResult {
    const payments = this.#payments;
    return html`${heading('History')}
      <div class="switch" role="group" aria-label="Which payments">
        ${FILTERS.map((filter) => html`<button type="button" aria-pressed=${this.#direction === filter.direction ? 'true' : 'false'} data-testid=${`filter-${filter.testid}`} @click=${() => this.#choose(filter.direction)}>${filter.label}</button>`)}
      </div>
      ${trouble(this.failure)}
      ${payments === undefined
        ? html`<div class="centered"><span class="spinner big" aria-hidden="true"></span></div>`
        : payments.length === 0
          ? html`<section class="card empty-card"><p>Nothing here yet.</p></section>`
          : html`<section class="card" aria-label="Payments"><ul class="payments" data-testid="payments">${payments.map(paymentLine)}</ul></section>`}
      ${this.#more ? html`<button class="button wide" type="button" ?disabled=${this.busy} data-testid="more" @click=${() => void this.#loadMore()}>Show earlier ones</button>` : nothing}`;
  }

  #choose(direction: Direction | undefined): void {
    this.#direction = direction;
    this.#payments = undefined;
    void this.#load();
  }

  async #load(): Promise<void> {
    if (this.busy) {
      this.#again = true;
      return;
    }
    await this.attempt(async () => {
      const direction = this.#direction;
      // As far as was shown before: news must not fold the list up.
      const limit = Math.min(MOST, Math.max(PAGE, this.#payments?.length ?? 0));
      const page = await this.app.wallet.listPayments({ direction, limit });
      if (direction !== this.#direction) return;
      this.#payments = page;
      this.#more = page.length === limit;
    });
    if (!this.#again) return;
    this.#again = false;
    await this.#load();
  }

  async #loadMore(): Promise<void> {
    const shown = this.#payments ?? [];
    const last = shown.at(-1);
    if (!last) return;
    await this.attempt(async () => {
      // The wallet counts in whole seconds: what is shown of the last one comes again, and is left out.
      const again = shown.filter((payment) => payment.createdAtSecs === last.createdAtSecs).length;
      const limit = PAGE + again;
      const page = await this.app.wallet.listPayments({ direction: this.#direction, limit, beforeSecs: last.createdAtSecs + 1n });
      const fresh = page.filter((payment) => shown.every((other) => other.id !== payment.id));
      this.#payments = [...shown, ...fresh];
      this.#more = page.length === limit;
      // The button may be gone now, and the focus with it.
      const first = fresh[0]?.id;
      requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-id="${first}"]`)?.focus());
    });
  }
}
