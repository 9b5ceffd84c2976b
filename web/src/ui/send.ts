// Paying: one field for everything, then a review with every number, then the payment's own page.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Parsed, Quote, SendRequest } from 'kite-wallet';
import type { App } from '../app.ts';
import type { CameraWatch } from '../qr/camera.ts';
import { parseSat, satText, shortId, spanText } from '../format.ts';
import { goTo, linkTo } from '../route.ts';
import { explainSend } from '../send-sentences.ts';
import { explain, nodeName, type Explanation } from '../sentences.ts';
import { TRY_SAT, tryIt } from './devnet.ts';
import { icon } from './icons.ts';
import { entries, facts, field, heading, notice, nowSecs, sat, submit, trouble } from './parts.ts';
import { Screen } from './screen.ts';

type Step = 'input' | 'camera' | 'amount' | 'review';

/** How long the wallet looks for a way before it gives up. */
const TIMEOUT_SECS = 60;

export class SendScreen extends Screen {
  readonly title = 'Send';
  #step: Step = 'input';
  #parsed: Parsed | undefined;
  #input = '';
  #quote: Quote | undefined;
  #errors: Record<string, string> = {};
  #camera: CameraWatch | undefined;
  #dropping = false;
  readonly #onDrag = (event: DragEvent): void => this.#drag(event);
  readonly #onPaste = (event: ClipboardEvent): void => void this.#pasted(event);

  constructor(app: App, input: string | undefined) {
    super(app);
    this.#input = input ?? '';
  }

  override enter(): void {
    for (const name of ['dragover', 'dragleave', 'drop'] as const) addEventListener(name, this.#onDrag);
    addEventListener('paste', this.#onPaste);
  }

  override leave(): void {
    for (const name of ['dragover', 'dragleave', 'drop'] as const) removeEventListener(name, this.#onDrag);
    removeEventListener('paste', this.#onPaste);
    this.#stopCamera();
  }

  view(): TemplateResult {
    switch (this.#step) {
      case 'input':
        return this.#inputView();
      case 'camera':
        return this.#cameraView();
      case 'amount':
        return this.#amountView();
      case 'review':
        return this.#reviewView();
    }
  }

  #go(step: Step): void {
    if (step !== 'camera') this.#stopCamera();
    this.#errors = {};
    this.#step = step;
    this.step();
  }

  #inputView(): TemplateResult {
    return html`${heading('Send', linkTo('home'))}
      <form novalidate @submit=${(event: Event) => void this.#read(entries(event)['input'] ?? '')}>
        <div class="field drop ${this.#dropping ? 'over' : ''}">
          <label for="field-input">Invoice or address</label>
          <textarea id="field-input" name="input" rows="4" class="mono" placeholder="lnbc… or bc1…" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" .defaultValue=${this.#input} data-testid="send-input" data-focus aria-describedby="input-hint" @input=${() => this.forgive()}></textarea>
          <p class="hint" id="input-hint">Paste it, drop it here as text or picture, or use a button.</p>
        </div>
        <div class="triple">
          <button class="button" type="button" data-testid="paste" @click=${() => void this.#paste()}>${icon('paste')}Paste</button>
          <button class="button" type="button" @click=${() => document.getElementById('upload')?.click()}>${icon('image')}Upload</button>
          <button class="button" type="button" data-testid="scan" @click=${() => void this.#scan()}>${icon('scan')}Scan</button>
        </div>
        <input id="upload" type="file" accept="image/*" hidden data-testid="upload" @change=${(event: Event) => void this.#uploaded(event)} />
        ${this.#tryOffer()}${trouble(this.failure)}${this.#connectOffer()}${submit('Continue', this.busy, 'send-continue', 'Reading it…')}
      </form>`;
  }

  #tryOffer(): TemplateResult | typeof nothing {
    const { nodes, invoice } = this.app.world;
    if (!invoice) return nothing;
    return tryIt({ words: ['an invoice from', ''], nodes, testid: 'try', busy: this.busy, choose: (alias) => void this.#tryInvoice(alias) });
  }

  #connectOffer(): TemplateResult | typeof nothing {
    if (this.#parsed?.type !== 'nodeAddress') return nothing;
    const { nodeId, address } = this.#parsed;
    return notice('plain', html`<p>This is the address of a Lightning node, not something to pay. <a href=${linkTo('open-channel', address ? `${nodeId}@${address}` : nodeId)}>Open a channel with it</a></p>`, 'peers');
  }

  #cameraView(): TemplateResult {
    return html`${heading('Scan a code')}
      <div class="viewfinder"><video muted playsinline data-testid="camera" aria-label="Camera picture"></video><span class="frame-corners" aria-hidden="true"></span></div>
      <p class="hint centered-text" role="status">Hold the code in front of the camera.</p>
      <button class="button wide" type="button" data-testid="scan-cancel" @click=${() => this.#go('input')}>Cancel</button>`;
  }

  #amountView(): TemplateResult {
    return html`<button class="link back-link" type="button" data-testid="back" @click=${() => this.#go('input')}>${icon('back')}Back</button>
      ${heading('How much?')}
      ${this.#payeeLine()}
      <form novalidate @submit=${(event: Event) => void this.#submitAmount(event)}>
        ${field({
          name: 'amount',
          label: 'Amount',
          testid: 'amount',
          suffix: 'sat',
          inputmode: 'numeric',
          error: this.#errors['amount'],
          hint: html`You can spend ${sat(this.#spendable())}.`,
        })}
        ${trouble(this.failure)}${submit('Review', this.busy, 'amount-submit', 'Looking for a way…')}
      </form>`;
  }

  #payeeLine(): TemplateResult | typeof nothing {
    const parsed = this.#parsed;
    if (parsed?.type === 'bolt11') {
      const { payee, description } = parsed.invoice;
      return html`<p class="lead">To <span class="mono">${nodeName(payee, this.app.world.nodes)}</span>${description ? html` for “${description}”` : nothing}</p>`;
    }
    return parsed?.type === 'bitcoinAddress' ? html`<p class="lead">To <span class="mono breakable">${parsed.address}</span></p>` : nothing;
  }

  #reviewView(): TemplateResult {
    const quote = this.#quote as Quote;
    const lightning = quote.kind === 'lightning';
    const expired = quote.expiresAtSecs !== undefined && Number(quote.expiresAtSecs) <= nowSecs();
    const most = quote.amountMsat + quote.maxFeeMsat;
    return html`<button class="link back-link" type="button" data-testid="back" @click=${() => this.#go('input')}>${icon('back')}Back</button>
      ${heading('Review')}
      <section class="card review" data-testid="review">
        <p class="review-amount">${sat(quote.amountMsat, { testid: 'review-amount' })}</p>
        ${facts([
          { label: 'To', value: this.#payee(quote), testid: 'review-payee' },
          quote.description ? { label: 'For', value: quote.description, testid: 'review-description' } : undefined,
          { label: lightning ? 'Fee, about' : 'Fee', value: sat(quote.feeEstimateMsat, { testid: 'review-fee' }) },
          lightning && { label: 'Fee at most', value: sat(quote.maxFeeMsat, { testid: 'review-fee-cap' }) },
          quote.hops !== undefined && { label: 'Route', value: quote.hops === 1 ? 'Direct' : `${quote.hops} hops`, testid: 'review-hops' },
          quote.expiresAtSecs !== undefined && { label: 'Expires', value: this.#expiry(quote.expiresAtSecs), testid: 'review-expiry' },
          { label: lightning ? 'You pay at most' : 'You pay', value: html`<strong>${sat(most, { testid: 'review-most' })}</strong>` },
        ])}
        ${lightning ? this.#capForm(quote) : nothing}
      </section>
      ${trouble(this.failure)}
      ${expired ? notice('bad', html`<p><strong>This invoice has expired.</strong> Ask the payee for a new one.</p>`, 'clock') : nothing}
      <button class="button primary wide big" type="button" ?disabled=${this.busy || expired} aria-busy=${this.busy ? 'true' : 'false'} data-testid="pay" @click=${() => void this.#pay(quote)}>
        ${this.busy ? html`<span class="spinner" aria-hidden="true"></span>Sending…` : `Pay ${satText(quote.amountMsat)} sat`}
      </button>`;
  }

  #payee(quote: Quote): TemplateResult | string {
    if (!quote.payee) return quote.kind === 'onchain' ? html`<span class="mono breakable">${quote.input}</span>` : 'An unnamed payee';
    const name = nodeName(quote.payee, this.app.world.nodes);
    return html`<span class="mono breakable" title=${quote.payee}>${quote.kind === 'onchain' ? quote.payee : name === shortId(quote.payee) ? name : `${name} (${shortId(quote.payee)})`}</span>`;
  }

  #expiry(atSecs: bigint): string {
    const left = Number(atSecs) - nowSecs();
    return left <= 0 ? 'now' : `in ${spanText(left)}`;
  }

  #capForm(quote: Quote): TemplateResult {
    return html`<details class="quiet"><summary data-testid="change-cap">Change the fee limit</summary>
      <form novalidate class="inline-form" @submit=${(event: Event) => void this.#submitCap(event, quote)}>
        ${field({ name: 'cap', label: 'Fee at most', testid: 'cap', suffix: 'sat', inputmode: 'numeric', value: (quote.maxFeeMsat / 1000n).toString(), error: this.#errors['cap'] })}
        <button class="button" type="submit" ?disabled=${this.busy} data-testid="cap-submit">Set</button>
      </form>
    </details>`;
  }

  protected override explain(thrown: unknown): Explanation {
    return explainSend(thrown, this.#parsed);
  }

  #spendable(): bigint {
    const balance = this.app.snapshot?.balance;
    if (!balance) return 0n;
    return this.#parsed?.type === 'bitcoinAddress' ? balance.onchainSat * 1000n : balance.spendableMsat;
  }

  /** Finds out what a text is, and goes on to what it needs. */
  async #read(text: string): Promise<void> {
    await this.attempt(async () => {
      this.#input = text.trim();
      this.#parsed = undefined;
      if (this.#input === '') return this.fail({ what: 'There is nothing to pay yet.', next: 'Paste an invoice or an address first.' });
      const parsed = await this.app.wallet.parse(this.#input);
      this.#parsed = parsed;
      if (parsed.type === 'nodeAddress') return;
      const amountMsat = parsed.type === 'bolt11' ? parsed.invoice.amountMsat : parsed.amountSat === undefined ? undefined : parsed.amountSat * 1000n;
      if (amountMsat === undefined) return this.#go('amount');
      await this.#prepare(parsed.type === 'bolt11' ? {} : { amountMsat });
    });
  }

  async #prepare(request: Partial<SendRequest>): Promise<void> {
    const input = this.#input;
    this.#quote = await this.app.unsettled.prepare(this.app.wallet, { input, timeoutSecs: TIMEOUT_SECS, ...request });
    this.#go('review');
  }

  async #submitAmount(event: Event): Promise<void> {
    const amount = parseSat(entries(event)['amount'] ?? '');
    this.#errors = amount.ok ? {} : { amount: amount.reason };
    if (!amount.ok) return this.app.changed();
    await this.attempt(() => this.#prepare({ amountMsat: amount.sat * 1000n }));
  }

  async #submitCap(event: Event, quote: Quote): Promise<void> {
    const typed = entries(event)['cap'] ?? '';
    const cap = typed.trim() === '0' ? { ok: true as const, sat: 0n } : parseSat(typed);
    this.#errors = cap.ok ? {} : { cap: cap.reason };
    if (!cap.ok) return this.app.changed();
    await this.attempt(() => this.#prepare({ maxFeeMsat: cap.sat * 1000n, ...this.#openAmount(quote) }));
  }

  /** The amount belongs into the request only where the invoice leaves it open. */
  #openAmount(quote: Quote): Partial<SendRequest> {
    const fixed = this.#parsed?.type === 'bolt11' && this.#parsed.invoice.amountMsat !== undefined;
    return fixed ? {} : { amountMsat: quote.amountMsat };
  }

  async #pay(quote: Quote): Promise<void> {
    await this.attempt(async () => {
      const payment = await this.app.unsettled.pay(this.app.wallet, this.#input, quote);
      goTo('payment', payment.id);
    });
  }

  async #tryInvoice(alias: string): Promise<void> {
    let invoice: string | undefined;
    await this.attempt(async () => {
      try {
        invoice = await this.app.world.invoice?.(alias, TRY_SAT, `A coffee at ${alias}’s`);
      } catch (thrown) {
        this.fail({ ...explain(thrown), next: 'See that the devnet still runs, and try again.' });
      }
    });
    if (invoice !== undefined) this.#fill(invoice);
  }

  async #paste(): Promise<void> {
    try {
      this.#fill(await navigator.clipboard.readText());
    } catch {
      this.fail({ what: 'The browser did not allow reading the clipboard.', next: 'Paste into the field with the keyboard or a long press.' });
      this.app.changed();
      return;
    }
    await this.#read(this.#input);
  }

  /** Not while another text is being read: what is reviewed then must be that one. */
  #fill(text: string): void {
    if (this.busy) return;
    this.#input = text.trim();
    const area = document.getElementById('field-input') as HTMLTextAreaElement | null;
    if (area) area.value = this.#input;
  }

  async #uploaded(event: Event): Promise<void> {
    const input = event.currentTarget as HTMLInputElement;
    const file = input.files?.[0];
    input.value = '';
    if (file) await this.#picture(file);
  }

  async #picture(file: Blob): Promise<void> {
    let text: string | undefined;
    await this.attempt(async () => {
      const { readPicture } = await import('../qr/decode.ts');
      try {
        text = await readPicture(file);
      } catch {
        return this.fail({ what: 'This file is not a picture the browser can read.', next: 'Upload a PNG or JPEG of the code.' });
      }
      if (text === undefined) this.fail({ what: 'No QR code was found in this picture.', next: 'Take it from closer, with the whole code in view, or paste the text.' });
    });
    if (text === undefined) return;
    this.#fill(text);
    await this.#read(text);
  }

  async #scan(): Promise<void> {
    this.#go('camera');
    try {
      const { watchCamera } = await import('../qr/camera.ts');
      const video = document.querySelector('video') as HTMLVideoElement;
      const watch = await watchCamera(video, (text) => {
        this.#go('input');
        queueMicrotask(() => this.#fill(text));
        void this.#read(text);
      });
      // The person may have left while the browser asked for permission.
      if (this.#step === 'camera' && video.isConnected) this.#camera = watch;
      else watch.stop();
    } catch (thrown) {
      const { cameraTrouble } = await import('../qr/camera.ts');
      this.#go('input');
      this.fail(cameraTrouble(thrown));
      this.app.changed();
    }
  }

  #stopCamera(): void {
    this.#camera?.stop();
    this.#camera = undefined;
  }

  #drag(event: DragEvent): void {
    if (this.#step !== 'input') return;
    event.preventDefault();
    const over = event.type === 'dragover';
    if (over !== this.#dropping) {
      this.#dropping = over;
      this.app.changed();
    }
    if (event.type !== 'drop') return;
    const file = event.dataTransfer?.files[0];
    const text = event.dataTransfer?.getData('text/plain');
    if (file) void this.#picture(file);
    else if (text) {
      this.#fill(text);
      void this.#read(text);
    }
  }

  async #pasted(event: ClipboardEvent): Promise<void> {
    if (this.#step !== 'input') return;
    const file = event.clipboardData?.files[0];
    if (file) {
      event.preventDefault();
      await this.#picture(file);
    }
  }
}
