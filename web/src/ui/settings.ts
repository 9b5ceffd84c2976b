// Words, storage, this node and this page.

import { html, nothing, type TemplateResult } from 'lit-html';
import { mnemonicWords } from '../format.ts';
import { networkName } from '../sentences.ts';
import { icon } from './icons.ts';
import { copyable, entries, facts, field, heading, notice, submit, trouble } from './parts.ts';
import { Screen } from './screen.ts';
import { rememberWordsConfirmed, wordsUnconfirmed } from './words-confirmed.ts';

export class SettingsScreen extends Screen {
  readonly title = 'Settings';
  #words: string[] = [];
  #persisted: boolean | undefined;

  override enter(): void {
    void this.#askStorage();
  }

  override leave(): void {
    this.#words = [];
  }

  view(): TemplateResult {
    return html`${heading('Settings')}${this.#wordsCard()}${this.#storageCard()}${this.#nodeCard()}
      <section class="card"><div class="card-head"><h2>Lock</h2></div>
        <p class="hint">Stops the wallet in this tab. It cannot pay or be paid until you unlock it.</p>
        <button class="button" type="button" ?disabled=${this.busy} data-testid="lock" @click=${() => void this.attempt(() => this.app.lock())}>${icon('lock')}Lock the wallet</button>
      </section>`;
  }

  #wordsCard(): TemplateResult {
    return html`<section class="card" aria-labelledby="words"><div class="card-head"><h2 id="words">Your 12 words</h2></div>
      ${this.#words.length > 0
        ? html`<ol class="words" data-testid="words">${this.#words.map((word) => html`<li><span class="mono" data-testid="word">${word}</span></li>`)}</ol>
            ${wordsUnconfirmed(this.app.walletConfig.data) ? html`<button class="button primary" type="button" @click=${() => this.#written()}>I have written them down</button>` : nothing}
            <button class="button" type="button" data-testid="hide-words" @click=${() => this.#hide()}>Hide them</button>`
        : html`<p class="hint">They bring back your keys and on-chain coins. Show them only when nobody looks over your shoulder.</p>
            <form novalidate @submit=${(event: Event) => void this.#show(event)}>
              ${field({ name: 'passphrase', label: 'Passphrase', testid: 'words-passphrase', type: 'password', autocomplete: 'current-password' })}
              ${trouble(this.failure)}${submit('Show the words', this.busy, 'show-words')}
            </form>`}
    </section>`;
  }

  #storageCard(): TemplateResult {
    const kept = this.#persisted;
    return html`<section class="card" aria-labelledby="storage"><div class="card-head"><h2 id="storage">Storage</h2>
        <span class="badge ${kept ? 'good' : 'wait'}" data-testid="storage-persisted">${kept === undefined ? 'Asking' : kept ? 'Kept' : 'Not promised'}</span></div>
      ${kept
        ? html`<p class="hint">The browser has promised to keep this wallet’s data until you delete it.</p>`
        : notice('warn', html`<p>The browser may delete this wallet’s data when the disk is full. Your channels live in that data.</p>
            <button class="button" type="button" data-testid="persist" @click=${() => void this.#persist()}>Ask the browser to keep it</button>`)}
    </section>`;
  }

  #nodeCard(): TemplateResult {
    const { config, snapshot } = this.app;
    const info = snapshot?.info;
    return html`<section class="card" aria-labelledby="about"><div class="card-head"><h2 id="about">This wallet</h2></div>
      ${facts([
        { label: 'Network', value: networkName(config?.network ?? '') },
        info && { label: 'Block height', value: `${info.height}${info.synced ? '' : ', catching up'}`, testid: 'height' },
        info && { label: 'Safe to close the tab', value: info.safeToClose ? 'Yes' : 'Not now: something is under way', testid: 'safe-to-close' },
        info && { label: 'Node id', value: copyable('the node id', info.nodeId, 'node-id'), long: true },
        { label: 'Chain server', value: html`<span class="breakable">${config?.esploraUrl ?? ''}</span>`, long: true },
        config?.proxyUrl ? { label: 'Proxy to the nodes', value: html`<span class="breakable">${config.proxyUrl}</span>`, long: true } : undefined,
        info && { label: 'Version', value: info.version, testid: 'version' },
      ])}
      <details class="quiet"><summary>Who sees what</summary>
        <p>Your keys never leave this browser. The chain server sees which addresses you ask about. The proxy sees which nodes you reach, not what you say: that is encrypted end to end. The nodes on a payment’s way see only their neighbours.</p>
      </details>
    </section>`;
  }

  async #show(event: Event): Promise<void> {
    const { passphrase = '' } = entries(event);
    (event.currentTarget as HTMLFormElement).reset();
    await this.attempt(async () => {
      this.#words = mnemonicWords(await this.app.wallet.mnemonic(passphrase));
    });
  }

  #hide(): void {
    this.#words = [];
    this.app.changed();
  }

  #written(): void {
    rememberWordsConfirmed(this.app.walletConfig.data, true);
    this.#hide();
  }

  async #askStorage(): Promise<void> {
    this.#persisted = (await navigator.storage?.persisted?.()) ?? false;
    this.app.changed();
  }

  async #persist(): Promise<void> {
    this.#persisted = (await navigator.storage?.persist?.()) ?? false;
    this.app.tell(this.#persisted ? 'The browser keeps the data.' : 'The browser did not promise it. Installing the page as an app often helps.', this.#persisted ? 'good' : 'plain');
  }
}
