// A browser without a wallet: create one and keep its words, or restore one from its words.

import { html, nothing, type TemplateResult } from 'lit-html';
import { codeOf } from '../failure.ts';
import { mnemonicWords } from '../format.ts';
import { explain, type Explanation } from '../sentences.ts';
import { entries, field, heading, notice, submit, trouble } from './parts.ts';
import { icon } from './icons.ts';
import { Screen } from './screen.ts';
import { rememberWordsConfirmed } from './words-confirmed.ts';

type Step = 'welcome' | 'young' | 'create' | 'restore' | 'words' | 'confirm';

const MIN_PASSPHRASE = 8;

export class OnboardingScreen extends Screen {
  readonly title = 'Welcome';
  #step: Step = 'welcome';
  #words: string[] = [];
  /** Positions that are asked for, from 0. */
  #asked: number[] = [];
  #errors: Record<string, string> = {};
  /** What is young about Kite on mainnet, and where the owner was going. */
  #young: string[] = [];
  #after: 'create' | 'restore' = 'create';

  override leave(): void {
    this.#words = [];
  }

  /** What is refused here is refused by the device, such as randomness: no other request would help. */
  protected override explain(thrown: unknown): Explanation {
    const { what, next } = explain(thrown);
    return { what, next: codeOf(thrown) === 'refused' ? 'Nothing was made. Restart the browser, or use another one, and try again.' : next };
  }

  view(): TemplateResult {
    switch (this.#step) {
      case 'welcome':
        return this.#welcome();
      case 'young':
        return this.#showYoung();
      case 'create':
        return this.#create();
      case 'restore':
        return this.#restore();
      case 'words':
        return this.#showWords();
      case 'confirm':
        return this.#confirm();
    }
  }

  #go(step: Step): void {
    this.#errors = {};
    this.#step = step;
    this.step();
  }

  #back(step: Step): TemplateResult {
    return html`<button class="link back-link" type="button" data-testid="back" @click=${() => this.#go(step)}>${icon('back')}Back</button>`;
  }

  #welcome(): TemplateResult {
    return html`<div class="welcome">
      <h1 tabindex="-1">Lightning money that only you hold</h1>
      <p class="lead">Your keys and channels live in this browser, sealed with your passphrase. No account, no one in between.</p>
      <div class="stack">
        <button class="button primary wide" type="button" data-testid="create" @click=${() => void this.#begin('create')}>Create a new wallet</button>
        <button class="button wide" type="button" data-testid="restore" @click=${() => void this.#begin('restore')}>Restore from 12 words</button>
      </div>
      ${trouble(this.failure)}
      ${this.app.config?.network === 'bitcoin' ? nothing : html`<p class="hint">For trying out: the coins on this network have no value.</p>`}
    </div>`;
  }

  async #begin(step: 'create' | 'restore'): Promise<void> {
    if (this.app.config?.network !== 'bitcoin' || this.app.acceptsYoungMainnet) return this.#go(step);
    await this.attempt(async () => {
      this.#young = await this.app.wallet.youngOnMainnet();
      this.#after = step;
      this.#go('young');
    });
  }

  #showYoung(): TemplateResult {
    return html`${this.#back('welcome')}${heading('This is real bitcoin, and Kite is young')}
      <p class="lead">Put in only what you could bear to lose. Before you go on, know this:</p>
      <ul class="young" data-testid="young">
        ${this.#young.map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
      <button class="button primary wide" type="button" data-testid="accept-young" @click=${() => this.#accept()}>I have read it and go on</button>`;
  }

  #accept(): void {
    this.app.acceptsYoungMainnet = true;
    this.#go(this.#after);
  }

  #passphraseFields(): TemplateResult {
    return html`${field({
      name: 'passphrase',
      label: 'Passphrase',
      testid: 'passphrase',
      type: 'password',
      autocomplete: 'new-password',
      hint: `At least ${MIN_PASSPHRASE} characters. You need it each time you open the wallet here.`,
      error: this.#errors['passphrase'],
    })}
    ${field({
      name: 'repeated',
      label: 'Passphrase again',
      testid: 'passphrase-again',
      type: 'password',
      autocomplete: 'new-password',
      error: this.#errors['repeated'],
    })}`;
  }

  #create(): TemplateResult {
    return html`${this.#back('welcome')}${heading('Choose a passphrase')}
      <p class="lead">It seals the wallet on this device. Nobody can reset it for you.</p>
      <form novalidate @submit=${(event: Event) => void this.#submitCreate(event)}>
        ${this.#passphraseFields()}${trouble(this.failure)}${submit('Create the wallet', this.busy, 'create-submit', 'Sealing the wallet…')}
      </form>`;
  }

  #restore(): TemplateResult {
    const error = this.#errors['words'];
    return html`${this.#back('welcome')}${heading('Restore a wallet')}
      <form novalidate @submit=${(event: Event) => void this.#submitRestore(event)}>
        <div class="field">
          <label for="field-words">The 12 words, in order</label>
          <textarea id="field-words" name="words" rows="3" class="mono" autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" data-testid="restore-words" aria-describedby=${error ? 'words-error' : nothing} aria-invalid=${error ? 'true' : nothing}></textarea>
          ${error ? html`<p class="field-error" id="words-error">${error}</p>` : nothing}
        </div>
        ${notice('warn', html`<p>The words bring back your keys and your on-chain coins. Open channels and the history live only in the browser they were made in.</p>
          <p><strong>Never use the same words in two places at once</strong>: channels would be lost.</p>`)}
        ${this.#passphraseFields()}${trouble(this.failure)}${submit('Restore the wallet', this.busy, 'restore-submit', 'Restoring…')}
      </form>`;
  }

  #showWords(): TemplateResult {
    return html`${heading('Write down these 12 words')}
      <p class="lead">On paper, in this order. With them you get your keys back when this device is lost. Whoever reads them can take your money.</p>
      <p class="hint">Open channels and the history live in this browser only: the words do not bring them back.</p>
      <ol class="words" data-testid="words">
        ${this.#words.map((word) => html`<li><span class="mono" data-testid="word">${word}</span></li>`)}
      </ol>
      <button class="button primary wide" type="button" data-testid="words-written" @click=${() => this.#ask()}>I have written them down</button>`;
  }

  #confirm(): TemplateResult {
    return html`${this.#back('words')}${heading('Check your words')}
      <p class="lead">Enter three of them from your paper.</p>
      <form novalidate @submit=${(event: Event) => void this.#submitConfirm(event)}>
        ${this.#asked.map((position) =>
          field({
            name: `word-${position}`,
            label: `Word ${position + 1}`,
            testid: `confirm-word-${position + 1}`,
            mono: true,
            error: this.#errors[`word-${position}`],
          }),
        )}
        ${trouble(this.failure)}${submit('Finish', this.busy, 'confirm-submit', 'Starting the wallet…')}
      </form>`;
  }

  #readPassphrase(given: Record<string, string>): string | undefined {
    const passphrase = given['passphrase'] ?? '';
    const [long, same] = [[...passphrase].length >= MIN_PASSPHRASE, passphrase === given['repeated']];
    if (!long) this.#errors['passphrase'] = `Use at least ${MIN_PASSPHRASE} characters.`;
    if (!same) this.#errors['repeated'] = 'The two are not the same.';
    return long && same ? passphrase : undefined;
  }

  async #submitCreate(event: Event): Promise<void> {
    const given = entries(event);
    this.#errors = {};
    const passphrase = this.#readPassphrase(given);
    if (passphrase === undefined) return this.app.changed();
    await this.attempt(async () => {
      // Before there is a wallet: whoever leaves before the words are shown is reminded of them.
      rememberWordsConfirmed(this.app.walletConfig.data, false);
      await this.app.enter((wallet) => wallet.create(this.app.walletConfig, passphrase));
      this.#words = mnemonicWords(await this.app.wallet.mnemonic(passphrase));
      this.#go('words');
    });
  }

  async #submitRestore(event: Event): Promise<void> {
    const given = entries(event);
    this.#errors = {};
    const words = mnemonicWords(given['words'] ?? '');
    if (words.length !== 12) this.#errors['words'] = `There must be 12 words; these are ${words.length}.`;
    const passphrase = this.#readPassphrase(given);
    if (passphrase === undefined || this.#errors['words']) return this.app.changed();
    await this.attempt(async () => {
      try {
        await this.app.wallet.checkMnemonic(words.join(' '));
      } catch {
        this.#errors['words'] = 'These are not the words of a wallet. Check the spelling and the order.';
        return;
      }
      await this.app.enter((wallet) => wallet.create(this.app.walletConfig, passphrase, words.join(' ')));
      rememberWordsConfirmed(this.app.walletConfig.data, true);
      await this.app.run();
    });
  }

  #ask(): void {
    const positions = [...this.#words.keys()];
    const random = crypto.getRandomValues(new Uint32Array(positions.length));
    positions.sort((a, b) => (random[a] as number) - (random[b] as number));
    this.#asked = positions.slice(0, 3).sort((a, b) => a - b);
    this.#go('confirm');
  }

  async #submitConfirm(event: Event): Promise<void> {
    const given = entries(event);
    this.#errors = {};
    for (const position of this.#asked) {
      const name = `word-${position}`;
      if (mnemonicWords(given[name] ?? '')[0] !== this.#words[position]) this.#errors[name] = 'This is another word. Look at your paper again.';
    }
    if (Object.keys(this.#errors).length > 0) return this.app.changed();
    await this.attempt(async () => {
      rememberWordsConfirmed(this.app.walletConfig.data, true);
      await this.app.run();
    });
  }
}
