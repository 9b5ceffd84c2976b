// Draws the page: the frame around the screens, and the screen that belongs to the phase and the place.

import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { App } from '../app.ts';
import { dateText, whenText } from '../format.ts';
import { linkTo, readRoute, type Place, type Route } from '../route.ts';
import { chainTrouble, networkName } from '../sentences.ts';
import { ElsewhereScreen, HaltedScreen, StartingScreen } from './halted.ts';
import { HistoryScreen } from './history.ts';
import { HomeScreen } from './home.ts';
import { ChannelsScreen } from './channels.ts';
import { icon, mark, type IconName } from './icons.ts';
import { OnboardingScreen } from './onboarding.ts';
import { OpenChannelScreen } from './open-channel.ts';
import { nowSecs } from './parts.ts';
import { PaymentScreen } from './payment.ts';
import { PeersScreen } from './peers.ts';
import { ReceiveScreen } from './receive.ts';
import type { Screen } from './screen.ts';
import { SendScreen } from './send.ts';
import { SettingsScreen } from './settings.ts';
import { UnlockScreen } from './unlock.ts';

const TABS: { place: Place; label: string; icon: IconName; also: Place[] }[] = [
  { place: 'home', label: 'Wallet', icon: 'home', also: ['send', 'receive'] },
  { place: 'channels', label: 'Channels', icon: 'channels', also: ['open-channel', 'peers'] },
  { place: 'history', label: 'History', icon: 'history', also: ['payment'] },
  { place: 'settings', label: 'Settings', icon: 'settings', also: [] },
];

export class Frame {
  readonly #app: App;
  readonly #root: HTMLElement;
  #screen: Screen;
  #shown = '';
  #drawing = false;

  constructor(app: App, root: HTMLElement) {
    this.#app = app;
    this.#root = root;
    this.#screen = new StartingScreen(app);
  }

  begin(): void {
    this.#app.onChange = () => this.#draw();
    this.#app.onEvent = (event) => this.#screen.onEvent(event);
    addEventListener('hashchange', () => {
      this.#app.hush();
      this.#draw();
    });
    // Countdowns and "2 min ago" move by themselves.
    setInterval(() => document.visibilityState === 'visible' && this.#draw(), 1000);
    this.#draw();
  }

  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      this.#drawNow();
    });
  }

  #drawNow(): void {
    const route = readRoute(location.hash);
    this.#choose(route);
    const { phase } = this.#app;
    render(phase.name === 'running' ? this.#withNavigation(route) : this.#alone(), this.#root);
    document.title = `${this.#screen.title} · Kite`;
    if (!this.#screen.wantsFocus) return;
    this.#screen.wantsFocus = false;
    const focus = this.#root.querySelector<HTMLElement>('main [data-focus]') ?? this.#root.querySelector<HTMLElement>('main h1');
    focus?.focus({ preventScroll: true });
  }

  #choose(route: Route): void {
    const { phase } = this.#app;
    const key = phase.name === 'running' ? `${route.place}/${route.subject ?? ''}` : phase.name;
    if (key === this.#shown) return;
    this.#shown = key;
    this.#screen.leave();
    this.#screen = this.#make(route);
    scrollTo(0, 0);
    this.#screen.enter();
  }

  #make(route: Route): Screen {
    const app = this.#app;
    switch (app.phase.name) {
      case 'starting':
        return new StartingScreen(app);
      case 'elsewhere':
        return new ElsewhereScreen(app);
      case 'onboarding':
        return new OnboardingScreen(app);
      case 'locked':
        return new UnlockScreen(app);
      case 'halted':
        return new HaltedScreen(app, app.phase);
      case 'running':
        break;
    }
    switch (route.place) {
      case 'home':
        return new HomeScreen(app);
      case 'send':
        return new SendScreen(app, route.subject);
      case 'receive':
        return new ReceiveScreen(app);
      case 'channels':
        return new ChannelsScreen(app);
      case 'open-channel':
        return new OpenChannelScreen(app, route.subject);
      case 'peers':
        return new PeersScreen(app);
      case 'history':
        return new HistoryScreen(app);
      case 'payment':
        return new PaymentScreen(app, route.subject ?? '');
      case 'settings':
        return new SettingsScreen(app);
    }
  }

  #alone(): TemplateResult {
    return html`<div class="alone">
      <div class="brand">${mark()}<span>Kite</span>${this.#network()}</div>
      <main data-testid=${`screen-${this.#app.phase.name}`}>${this.#screen.view()}</main>
      ${this.#toasts()}
    </div>`;
  }

  #withNavigation(route: Route): TemplateResult {
    return html`<a class="skip" href="#main" @click=${this.#skip}>Skip to content</a>
      <div class="frame">
        <nav class="tabs" aria-label="Main">
          <a class="brand" href=${linkTo('home')} aria-label="Kite, to the wallet">${mark()}<span>Kite</span></a>
          ${TABS.map((tab) => {
            const here = tab.place === route.place || tab.also.includes(route.place);
            return html`<a class="tab ${here ? 'here' : ''}" href=${linkTo(tab.place)} aria-current=${here ? 'page' : nothing} data-testid=${`tab-${tab.place}`}>${icon(tab.icon)}<span>${tab.label}</span></a>`;
          })}
          ${this.#network()}
        </nav>
        <div class="column">
          ${this.#banners()}
          <main id="main" data-testid=${`screen-${route.place}`}>${this.#screen.view()}</main>
          ${this.#toasts()}
        </div>
      </div>`;
  }

  #skip(event: Event): void {
    event.preventDefault();
    document.querySelector<HTMLElement>('main h1')?.focus();
  }

  #network(): TemplateResult | typeof nothing {
    const network = this.#app.config?.network;
    if (!network || network === 'bitcoin') return nothing;
    return html`<span class="network" title=${`Coins on ${networkName(network)} have no value`} data-testid="network">${network}</span>`;
  }

  #banners(): TemplateResult | typeof nothing {
    const { snapshot } = this.#app;
    if (!this.#app.online) {
      return html`<p class="banner" role="status" data-testid="banner-offline">${icon('warning')}You are offline. Balances are as last seen; the wallet goes on when you are back.</p>`;
    }
    if (this.#app.chainOutOfReach) {
      return html`<p class="banner" role="status" data-testid="banner-chain">${icon('warning')}${chainTrouble(snapshot?.info.chainError)} Your money is safe.</p>`;
    }
    if (snapshot?.info.tipOld && !snapshot.info.synced) {
      return html`<p class="banner" role="status" data-testid="banner-catching-up">${icon('clock')}Catching up with the Bitcoin network: blocks until ${dateText(snapshot.info.tipTimeSecs)}. The first time takes some minutes.</p>`;
    }
    if (snapshot?.info.tipOld) {
      return html`<p class="banner" role="status" data-testid="banner-old-tip">${icon('clock')}The newest block your chain server knows is from ${whenText(snapshot.info.tipTimeSecs, nowSecs())}. Nothing is paid or received until it shows a newer one: check this device’s clock, or use another server.</p>`;
    }
    if (this.#app.slow) {
      return html`<p class="banner" role="status" data-testid="banner-slow">${icon('clock')}The wallet is busy. What you see may be a little old.</p>`;
    }
    return nothing;
  }

  #toasts(): TemplateResult | typeof nothing {
    const { toasts } = this.#app;
    if (toasts.length === 0) return nothing;
    // The texts are also in the live region, so these copies are for the eye only; what stays can be dismissed by anybody.
    return html`<div class="toasts" data-testid="toasts">
      ${toasts.map(
        (toast) => html`<div class="toast ${toast.tone}" data-testid="toast">
          ${icon(toast.tone === 'bad' ? 'warning' : 'check')}<span aria-hidden="true">${toast.text}</span>
          ${toast.tone === 'bad' ? html`<button class="icon-button" type="button" aria-label=${`Dismiss: ${toast.text}`} data-testid="toast-dismiss" @click=${() => this.#app.dismiss(toast)}>${icon('cross')}</button>` : nothing}
        </div>`,
      )}
    </div>`;
  }
}
