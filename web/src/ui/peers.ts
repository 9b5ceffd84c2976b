// The nodes this wallet talks to.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Peer } from 'kite-wallet';
import { nodeAddress, shortId } from '../format.ts';
import { linkTo } from '../route.ts';
import { nodeName } from '../sentences.ts';
import { entries, field, heading, submit, trouble } from './parts.ts';
import { Screen } from './screen.ts';

export class PeersScreen extends Screen {
  readonly title = 'Peers';
  #error: string | undefined;
  /** The node a button waits for. */
  #pending: string | undefined;

  view(): TemplateResult {
    const peers = this.app.snapshot?.peers ?? [];
    const offered = this.app.world.nodes.filter((node) => peers.every((peer) => peer.nodeId !== node.nodeId));
    return html`${heading('Peers', linkTo('channels'))}
      ${peers.length === 0
        ? html`<section class="card empty-card"><p><strong>Not connected to any node.</strong></p><p>Connect to one, then open a channel with it.</p></section>`
        : html`<ul class="card rows">${peers.map((peer) => this.#row(peer))}</ul>`}
      ${offered.length > 0
        ? html`<section aria-labelledby="offered"><h2 id="offered">Nodes of this devnet</h2>
            <ul class="card rows">${offered.map((node) => html`<li><span class="row-what"><strong>${node.alias}</strong><span class="mono hint">${shortId(node.nodeId)}</span></span>
              <button class="button" type="button" ?disabled=${this.busy} data-testid=${`connect-${node.alias}`} @click=${() => void this.#connect(node.nodeId, node.address)}>${this.#pending === node.nodeId ? 'Connecting…' : 'Connect'}</button></li>`)}</ul></section>`
        : nothing}
      <section aria-labelledby="connect"><h2 id="connect">Connect to a node</h2>
        <form novalidate @submit=${(event: Event) => void this.#submit(event)}>
          ${field({ name: 'node', label: 'Its address', testid: 'peer-address', mono: true, placeholder: '02ab…@host:9735', hint: 'Its id, an @, and where it is reached.', error: this.#error })}
          ${trouble(this.failure)}${submit('Connect', this.busy, 'peer-connect', 'Connecting…')}
        </form>
      </section>`;
  }

  #row(peer: Peer): TemplateResult {
    return html`<li data-testid="peer" data-node=${peer.nodeId} data-connected=${peer.connected ? 'true' : 'false'}>
      <span class="row-what"><span><strong>${nodeName(peer.nodeId, this.app.world.nodes)}</strong> <span class="badge ${peer.connected ? 'good' : 'wait'}">${peer.connected ? 'Connected' : 'Trying'}</span></span><span class="mono hint breakable">${peer.address}</span></span>
      ${peer.channels === 0
        ? html`<button class="button" type="button" ?disabled=${this.busy} aria-label=${`Disconnect from ${nodeName(peer.nodeId, this.app.world.nodes)}`} @click=${() => void this.attempt(() => this.app.wallet.disconnectPeer(peer.nodeId).then(() => this.app.refresh()))}>Disconnect</button>`
        : html`<span class="hint nowrap">${peer.channels} ${peer.channels === 1 ? 'channel' : 'channels'}</span>`}
    </li>`;
  }

  async #submit(event: Event): Promise<void> {
    const form = event.currentTarget as HTMLFormElement;
    const typed = nodeAddress(entries(event)['node'] ?? '');
    this.#error = typed ? undefined : 'It has the form 02ab…@host:port.';
    if (!typed) return this.app.changed();
    await this.#connect(typed.nodeId, typed.address);
    if (!this.failure) form.reset();
  }

  async #connect(nodeId: string, address: string): Promise<void> {
    this.#pending = nodeId;
    await this.attempt(async () => {
      await this.app.wallet.connectPeer(nodeId, address);
      await this.app.refresh();
      this.app.tell(`Connected to ${nodeName(nodeId, this.app.world.nodes)}.`, 'good');
    });
    this.#pending = undefined;
  }
}
