import { html, type TemplateResult } from 'lit-html';
import { entries, field, heading, submit, trouble } from './parts.ts';
import { Screen } from './screen.ts';

export class UnlockScreen extends Screen {
  readonly title = 'Unlock';

  view(): TemplateResult {
    return html`${heading('Unlock your wallet')}
      <form novalidate @submit=${(event: Event) => void this.#submit(event)}>
        ${field({ name: 'passphrase', label: 'Passphrase', testid: 'unlock-passphrase', type: 'password', autocomplete: 'current-password' })}
        ${trouble(this.failure)}${submit('Unlock', this.busy, 'unlock-submit', 'Unlocking…')}
      </form>
      <details class="quiet">
        <summary>Forgotten the passphrase?</summary>
        <p>Nobody can reset it. With your 12 words you can restore the keys and the on-chain coins in another browser profile; channels need this browser’s data, so keep it.</p>
      </details>`;
  }

  override enter(): void {
    queueMicrotask(() => document.getElementById('field-passphrase')?.focus());
  }

  async #submit(event: Event): Promise<void> {
    const { passphrase = '' } = entries(event);
    const form = event.currentTarget as HTMLFormElement;
    if (passphrase === '') {
      this.fail({ what: 'Enter your passphrase.', next: 'It is the one you chose when you made the wallet.' });
      return this.app.changed();
    }
    await this.attempt(async () => {
      await this.app.enter((wallet) => wallet.open(this.app.walletConfig, passphrase));
      form.reset();
      await this.app.run();
    });
    if (this.failure) form.querySelector('input')?.select();
  }
}
