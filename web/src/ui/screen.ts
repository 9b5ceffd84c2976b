// One screen: its own short-lived state, its view, and one way to carry out what a person asked for.

import type { TemplateResult } from 'lit-html';
import type { Event as WalletEvent } from 'kite-wallet';
import { say, type App } from '../app.ts';
import { explain, type Explanation } from '../sentences.ts';

export abstract class Screen {
  abstract readonly title: string;
  protected busy = false;
  protected failure: Explanation | undefined;
  protected readonly app: App;
  /** Set by the frame: put the focus on the heading after the next drawing. */
  wantsFocus = true;

  constructor(app: App) {
    this.app = app;
  }

  abstract view(): TemplateResult;

  /** The screen is shown from now on. */
  enter(): void {}
  /** The screen is gone: stop cameras, forget secrets. */
  leave(): void {}
  /** Something happened in the wallet. Says whether this screen shows it, so that no notice is needed. */
  onEvent(_event: WalletEvent): boolean {
    return false;
  }

  /** Does one thing at a time, and shows what went wrong. */
  protected async attempt(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failure = undefined;
    this.app.changed();
    try {
      await work();
    } catch (thrown) {
      if (!this.app.haltsOn(thrown)) this.fail(this.explain(thrown));
    } finally {
      this.busy = false;
      this.app.changed();
    }
  }

  /** What went wrong, in the words of this screen. */
  protected explain(thrown: unknown): Explanation {
    return explain(thrown);
  }

  /** What was asked for changes: what went wrong before is no longer about it. */
  protected forgive(): void {
    if (!this.failure) return;
    this.failure = undefined;
    this.app.changed();
  }

  protected fail(failure: Explanation): void {
    this.failure = failure;
    say(`${failure.what} ${failure.next}`);
  }

  /** Another step of the same screen: draw it and put the focus on its heading. */
  protected step(): void {
    this.wantsFocus = true;
    this.failure = undefined;
    scrollTo(0, 0);
    this.app.changed();
  }
}
