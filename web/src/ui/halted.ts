// The screens on which no wallet runs: starting, open in another tab, and stopped for a reason.

import { html, type TemplateResult } from 'lit-html';
import type { App, Phase } from '../app.ts';
import type { Halt } from '../halt.ts';
import { icon, type IconName } from './icons.ts';
import { Screen } from './screen.ts';

export class StartingScreen extends Screen {
  readonly title = 'Starting';
  override wantsFocus = false;

  view(): TemplateResult {
    return html`<div class="centered" role="status"><span class="spinner big" aria-hidden="true"></span><p>Starting the wallet…</p></div>`;
  }
}

export class ElsewhereScreen extends Screen {
  readonly title = 'Open elsewhere';

  view(): TemplateResult {
    return html`<div class="centered">
      <div class="emblem">${icon('lock')}</div>
      <h1 tabindex="-1">Open in another tab</h1>
      <p>This wallet is open in another tab or window of this browser. Only one at a time may speak for it, so this one stays silent.</p>
      <p><strong>Go on there, or close it:</strong> this tab then takes over by itself.</p>
      <button class="button" type="button" data-testid="reload" @click=${() => location.reload()}>Check again</button>
    </div>`;
  }
}

interface Words {
  title: string;
  icon: IconName;
  body: string;
  next: string;
  action: 'restart' | 'reload';
  label: string;
}

const HALTS: Record<Halt, Words> = {
  settings: {
    title: 'The settings could not be read',
    icon: 'warning',
    body: 'This page needs its settings from the server it came from, and did not get them.',
    next: 'Check your connection and try again.',
    action: 'reload',
    label: 'Try again',
  },
  engine: {
    title: 'The wallet’s engine broke',
    icon: 'warning',
    body: 'The part of the page that holds your wallet stopped unexpectedly.',
    next: 'Everything it had promised was stored before. Start it again and unlock the wallet.',
    action: 'restart',
    label: 'Start again',
  },
  full: {
    title: 'There is no room left',
    icon: 'warning',
    body: 'The browser could not store what came next, so the wallet stopped at once, before it said anything that it could not remember. Nothing is lost.',
    next: 'Free some disk space or leave private browsing, then start again.',
    action: 'restart',
    label: 'Start again',
  },
  storage: {
    title: 'The browser would not store the wallet',
    icon: 'warning',
    body: 'Writing failed, so the wallet stopped at once, before it said anything that it could not remember. What was stored before counts.',
    next: 'Start it again. If this stays, restart the browser. If the browser’s data was cleared, restore the wallet from its words.',
    action: 'restart',
    label: 'Start again',
  },
  stopped: {
    title: 'The wallet has stopped',
    icon: 'warning',
    body: 'It stopped rather than take a risk with your money. What was stored is safe.',
    next: 'Start it again. If it stops again, note the reason below.',
    action: 'restart',
    label: 'Start again',
  },
  taken: {
    title: 'Another copy has taken over',
    icon: 'lock',
    body: 'This wallet was opened somewhere else. This copy has stopped, so that the two cannot contradict each other.',
    next: 'Go on there. To come back here, close it there first.',
    action: 'reload',
    label: 'Reload',
  },
  damaged: {
    title: 'The stored wallet is damaged',
    icon: 'warning',
    body: 'What the browser stored cannot be read as it was written. The wallet does not run on it, so that nothing gets worse.',
    next: 'Do not clear this site’s data. Keep your 12 words at hand and reload once.',
    action: 'reload',
    label: 'Reload',
  },
  outdated: {
    title: 'This page is older than your wallet',
    icon: 'clock',
    body: 'A newer version of this page has stored the wallet. Your browser showed an older one, which it keeps for starting without network. Nothing is lost.',
    next: 'Go online, close all tabs of this page and open it again. Do not clear this site’s data, and do not restore the wallet.',
    action: 'reload',
    label: 'Reload',
  },
};

export class HaltedScreen extends Screen {
  readonly title = 'Stopped';
  readonly #halt: Halt;
  readonly #reason: string;

  constructor(app: App, phase: Extract<Phase, { name: 'halted' }>) {
    super(app);
    this.#halt = phase.halt;
    this.#reason = phase.reason;
  }

  view(): TemplateResult {
    const words = HALTS[this.#halt];
    return html`<div class="centered" data-testid=${`halted-${this.#halt}`}>
      <div class="emblem bad">${icon(words.icon)}</div>
      <h1 tabindex="-1">${words.title}</h1>
      <p>${words.body}</p>
      <p><strong>${words.next}</strong></p>
      <button class="button primary" type="button" data-testid="restart" @click=${() => this.#act(words.action)}>${words.label}</button>
      ${this.#reason ? html`<details class="reason"><summary>Reason</summary><p class="mono breakable">${this.#reason}</p></details>` : ''}
    </div>`;
  }

  #act(action: 'restart' | 'reload'): void {
    if (action === 'reload') location.reload();
    else void this.app.restart();
  }
}
