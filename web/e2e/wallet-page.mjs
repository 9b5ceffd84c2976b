// The page as a person uses it, through the names its parts carry (data-testid).

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { chromium } from 'playwright-core';
import { accessibilityFaults } from './accessible.mjs';

const ARTIFACTS = fileURLToPath(new URL('../test-artifacts/', import.meta.url));
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
];

/** A browser with its own profile. `camera` is a clip that its camera shows. */
export async function openBrowser(profile, site, { camera, look = {} } = {}) {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.KITE_CHROMIUM ?? '/usr/bin/chromium',
    args: camera ? [...FLAGS, `--use-file-for-fake-video-capture=${camera}`] : FLAGS,
    viewport: { width: 412, height: 880 },
    permissions: ['camera', 'clipboard-read', 'clipboard-write'],
    ...look,
  });
  context.setDefaultTimeout(30_000);
  return context;
}

let shots = 0;

export class WalletPage {
  constructor(page, site) {
    this.page = page;
    this.site = site;
    this.problems = [];
    page.on('pageerror', (error) => this.problems.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.problems.push(message.text());
    });
  }

  static async open(context, site) {
    const wallet = new WalletPage(await context.newPage(), site);
    await wallet.page.goto(site.url);
    return wallet;
  }

  at(testid) {
    return this.page.getByTestId(testid).first();
  }

  async press(testid) {
    await this.at(testid).click();
  }

  async type(testid, text) {
    await this.at(testid).fill(text);
  }

  /** Moves with the Tab key until this part has the focus, and can be seen to have it. */
  async tabTo(testid) {
    for (let presses = 0; presses < 40; presses += 1) {
      await this.page.keyboard.press('Tab');
      const { at, outline, shadow } = await this.page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        return { at: document.activeElement.dataset.testid, outline: style.outlineStyle, shadow: style.boxShadow };
      });
      if (at === testid) return assert.ok(outline !== 'none' || shadow !== 'none', `${testid} does not show its focus`);
    }
    return assert.fail(`the Tab key does not reach ${testid}`);
  }

  async see(testid, timeout) {
    await this.at(testid).waitFor(timeout ? { timeout } : {});
  }

  async text(testid) {
    return (await this.at(testid).innerText()).trim();
  }

  /** The exact amount a part of the page shows. */
  async msat(testid) {
    return BigInt(await this.at(testid).getAttribute('data-msat'));
  }

  async value(testid) {
    return this.at(testid).getAttribute('data-value');
  }

  /** Waits until something holds, and tells what was last seen if it never does. */
  async until(what, read, holds, timeout = 45_000) {
    const end = Date.now() + timeout;
    let last;
    while (Date.now() < end) {
      last = await read().catch((error) => error);
      if (!(last instanceof Error) && holds(last)) return last;
      await this.page.waitForTimeout(200);
    }
    await this.shot(`stuck-${what.replaceAll(/\W+/g, '-')}`);
    return assert.fail(`${what}: last seen ${last instanceof Error ? last.message : inspect(last)}`);
  }

  async shot(name) {
    mkdirSync(ARTIFACTS, { recursive: true });
    shots += 1;
    await this.page.screenshot({ path: `${ARTIFACTS}${String(shots).padStart(2, '0')}-${name}.png`, fullPage: true, animations: 'disabled' });
    const overflow = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${name} is ${overflow} px wider than the window`);
    assert.deepEqual(await this.page.evaluate(accessibilityFaults), [], name);
  }

  async go(tab) {
    await this.press(`tab-${tab}`);
    await this.see(`screen-${tab}`);
  }

  /** Creates a wallet, keeps its words and confirms them. */
  async create(passphrase) {
    await this.see('create');
    await this.shot('welcome');
    await this.press('create');
    await this.type('passphrase', passphrase);
    await this.type('passphrase-again', passphrase);
    await this.shot('passphrase');
    await this.press('create-submit');
    await this.see('words', 60_000);
    await this.shot('words');
    const words = await this.page.getByTestId('word').allInnerTexts();
    assert.equal(words.length, 12);
    await this.press('words-written');
    const asked = await this.page.locator('input[data-testid^=confirm-word-]').all();
    assert.equal(asked.length, 3);
    for (const input of asked) {
      const position = Number((await input.getAttribute('data-testid')).slice('confirm-word-'.length));
      await input.fill(words[position - 1]);
    }
    await this.shot('confirm-words');
    await this.press('confirm-submit');
    await this.see('screen-home', 60_000);
    return words;
  }

  async unlock(passphrase) {
    await this.see('unlock-passphrase', 60_000);
    await this.type('unlock-passphrase', passphrase);
    await this.press('unlock-submit');
    await this.page.getByTestId('tab-home').waitFor({ timeout: 60_000 });
  }

  /** Opens the wallet in a worker of its own, as a page would that asks nobody. Gives the error's kind, or `open`. */
  openUnasked(engine, passphrase) {
    return this.page.evaluate(
      async ([engine, passphrase]) => {
        const { network, esploraUrl, proxyUrl } = await (await fetch('/config.json')).json();
        const args = [{ network, esploraUrl, proxyUrl, data: `kite-${network}` }, passphrase];
        const worker = new Worker(engine, { type: 'module' });
        return new Promise((resolve) => {
          worker.onmessage = ({ data }) => {
            if (data.type === 'ready') worker.postMessage({ type: 'call', id: 1, method: 'open', args });
            if (data.type === 'failure') resolve(data.failure.kind);
            if (data.type === 'result') resolve('open');
          };
        });
      },
      [engine, passphrase],
    );
  }

  /** Puts a text into the one field of the send screen and waits for the review. */
  async review(text) {
    await this.offer(text);
    await this.see('review');
  }

  async offer(text) {
    await this.go('home');
    await this.press('send');
    await this.type('send-input', text);
    await this.press('send-continue');
  }

  /** Presses Pay and waits for the outcome. */
  async pay(status = 'succeeded', timeout = 45_000) {
    await this.press('pay');
    await this.see('outcome');
    await this.outcome(status, timeout);
  }

  async outcome(status, timeout = 45_000) {
    await this.until(`the payment becomes ${status}`, () => this.at('outcome').getAttribute('data-status'), (seen) => seen === status, timeout);
  }

  async balances() {
    await this.go('home');
    const [spendable, receivable, inFlight, closing, onchain, total] = await Promise.all(
      ['spendable', 'receivable', 'in-flight', 'closing', 'onchain', 'total'].map((name) => this.msat(name)),
    );
    return { spendable, receivable, inFlight, closing, onchain, total };
  }

  channelState() {
    return this.at('channel').getAttribute('data-state');
  }

  assertNoProblems() {
    assert.deepEqual(this.problems, []);
  }
}
