// The channels: how much is on which side, how they stand, and closing them.

import { html, nothing, type TemplateResult } from 'lit-html';
import type { Channel, Event as WalletEvent } from 'kite-wallet';
import { say } from '../app.ts';
import { sayEvent } from '../event-sentences.ts';
import { satText, sentence } from '../format.ts';
import { linkTo } from '../route.ts';
import { nodeName } from '../sentences.ts';
import { alarm, closeFacts, comingBack, isDone } from './close.ts';
import { confirm } from './confirm.ts';
import { icon } from './icons.ts';
import { balanceBar, copyable, facts, heading, sat, satOf, trouble } from './parts.ts';
import { Screen } from './screen.ts';

export class ChannelsScreen extends Screen {
  readonly title = 'Channels';
  #closing = new Set<string>();

  view(): TemplateResult {
    const channels = this.app.snapshot?.channels ?? [];
    const live = channels.filter((channel) => !over(channel));
    const past = channels.filter(over);
    return html`<div class="heading-row">${heading('Channels')}
        <div class="buttons"><a class="button" href=${linkTo('peers')} data-testid="peers">${icon('peers')}Peers</a><a class="button primary" href=${linkTo('open-channel')} data-testid="open-channel">${icon('plus')}Open</a></div></div>
      ${trouble(this.failure)}
      ${live.length === 0
        ? html`<section class="card empty-card"><p><strong>${past.length > 0 ? 'No open channel.' : 'No channel yet.'}</strong></p><p>A channel is your line to the Lightning network: you put coins in, pay from it in an instant, and close it to get the rest back.</p></section>`
        : html`<ul class="channels">${live.map((channel) => this.#card(channel))}</ul>`}
      ${past.length > 0 ? html`<details class="quiet"><summary>Past channels (${past.length})</summary><ul class="channels">${past.map((channel) => this.#card(channel))}</ul></details>` : nothing}`;
  }

  /** A channel's card shows that it closes. */
  override onEvent(event: WalletEvent): boolean {
    const said = event.type === 'channelClosed' ? sayEvent(event) : undefined;
    if (said) say(said.text);
    return said !== undefined;
  }

  #card(channel: Channel): TemplateResult {
    const name = nodeName(channel.nodeId, this.app.world.nodes);
    const [ours, theirs] = [channel.spendableMsat, channel.receivableMsat];
    const showsBar = channel.state === 'ready' || channel.state === 'opening' || channel.state === 'pending';
    return html`<li class="card channel" data-testid="channel" data-id=${channel.id} data-state=${channel.state}>
      <div class="card-head"><h2>${name}</h2>${this.#state(channel)}</div>
      ${showsBar
        ? html`${balanceBar(ours, theirs, `You can send ${satText(ours)} sat and receive ${satText(theirs)} sat`)}
            <div class="sides">
              <p><span class="side-label ours">You can send</span>${sat(ours, { testid: 'channel-spendable' })}</p>
              <p class="right"><span class="side-label theirs">You can receive</span>${sat(theirs, { testid: 'channel-receivable' })}</p>
            </div>`
        : nothing}
      ${this.#explain(channel)}
      <details class="quiet"><summary data-testid="channel-details">Details</summary>
        ${facts([
          { label: 'Capacity', value: satOf(channel.capacitySat) },
          { label: 'In flight', value: sat(channel.inFlightMsat) },
          { label: 'Reserve', value: satOf(channel.reserveSat) },
          { label: 'Opened by', value: channel.isOpener ? 'You' : 'The other node' },
          { label: 'Node', value: copyable('the node id', channel.nodeId, 'channel-node'), long: true },
          { label: 'Channel id', value: copyable('the channel id', channel.channelId, 'channel-id'), long: true },
          channel.fundingTxid ? { label: 'Funding transaction', value: copyable('the transaction id', channel.fundingTxid, 'funding-txid'), long: true } : undefined,
          channel.closingTxid ? { label: 'Closing transaction', value: copyable('the transaction id', channel.closingTxid, 'closing-txid'), long: true } : undefined,
          ...(channel.close ? closeFacts(channel.close) : []),
        ])}
        <div class="buttons">
        ${channel.state === 'ready' || channel.state === 'pending'
          ? html`<button class="button danger-quiet" type="button" ?disabled=${this.busy || this.#closing.has(channel.id)} data-testid="close-channel" @click=${() => void this.#close(channel, name)}>Close this channel</button>`
          : nothing}
        ${mayCloseAlone(channel)
          ? html`<button class="button danger-quiet" type="button" ?disabled=${this.busy} data-testid="force-close-channel" @click=${() => void this.#closeAlone(channel, name)}>Close without the other node</button>`
          : nothing}
        </div>
      </details>
    </li>`;
  }

  #state(channel: Channel): TemplateResult {
    const state = over(channel) ? 'closed' : channel.state;
    const [tone, text] = {
      opening: ['wait', 'Opening'],
      pending: ['wait', 'Opening'],
      ready: channel.usable ? ['good', 'Ready'] : ['wait', 'Offline'],
      closing: ['wait', 'Closing'],
      closed: ['', 'Closed'],
      failed: ['bad', 'Failed'],
    }[state] as [string, string];
    return html`<span class="badge ${tone}" data-testid="channel-state">${text}</span>`;
  }

  #explain(channel: Channel): TemplateResult | typeof nothing {
    switch (channel.state) {
      case 'opening':
        return html`<p class="hint">Agreeing with the other node on the new channel.</p>`;
      case 'pending':
        return html`<p class="hint" data-testid="channel-confirmations">Waiting for blocks: ${channel.confirmations} of ${channel.confirmationsNeeded}.</p>`;
      case 'ready':
        return channel.usable ? nothing : html`<p class="hint">The other node is not connected. The wallet keeps trying; your money is safe.</p>`;
      case 'closing':
        if (channel.close) return html`${alarm(channel.close)}${comingBack(channel.close, this.app.snapshot?.info.height ?? 0)}`;
        return html`<p class="hint">${channel.closingTxid ? 'Your coins are back among the on-chain ones as soon as the closing transaction is in a block.' : 'Agreeing with the other node on how it is closed.'}</p>`;
      case 'failed':
        return html`<p class="hint">${sentence(channel.closeReason ?? 'it cannot be used any more')} What is yours in it stays counted in your total.</p>`;
      case 'closed':
        return channel.closeReason ? html`<p class="hint">${sentence(channel.closeReason)}</p>` : nothing;
    }
  }

  async #close(channel: Channel, name: string): Promise<void> {
    const agreed = await confirm({
      title: 'Close this channel?',
      body: html`<p>${backAtLeast(channel)} It takes a block until you can use the coins.</p>
        <p class="hint">${channel.isOpener ? 'You opened the channel: what it keeps for network fees is yours too, and the fee of closing is paid from it.' : 'The other node opened the channel, and pays the fee of closing.'}</p>
        <p>You can no longer pay or be paid through ${name} then.</p>`,
      yes: 'Close the channel',
      testid: 'confirm-close',
    });
    if (!agreed) return;
    await this.attempt(async () => {
      await this.app.wallet.closeChannel(channel.id);
      this.#closing.add(channel.id);
      this.app.tell('The channel is being closed.');
      await this.app.refresh();
    });
  }

  async #closeAlone(channel: Channel, name: string): Promise<void> {
    const agreed = await confirm({
      title: 'Close it without the other node?',
      body: html`<p>Do this only if ${name} does not answer any more. Closing together is faster and costs less.</p>
        <p>Your coins come back on-chain after about a day or more, less network fees. This wallet has to be opened then to claim them.</p>
        <p>It cannot be taken back.</p>`,
      yes: 'Close it alone',
      testid: 'confirm-force-close',
    });
    if (!agreed) return;
    await this.attempt(async () => {
      await this.app.wallet.forceCloseChannel(channel.id);
      this.app.tell('The channel is being closed without the other node.');
      await this.app.refresh();
    });
  }
}

/** The least that closing together brings back. Without something to send, nothing says that the reserve is filled. */
function backAtLeast(channel: Channel): TemplateResult {
  if (channel.spendableMsat === 0n) return html`All that is yours in it comes back on-chain.`;
  const least = channel.spendableMsat + channel.reserveSat * 1000n;
  return html`At least about ${sat(least, { testid: 'back-at-least' })} come back on-chain: what you can send, and your reserve of ${satOf(channel.reserveSat)}.`;
}

/** Where nothing is agreed, and nothing published yet. */
function mayCloseAlone(channel: Channel): boolean {
  const undecided = channel.state === 'closing' && !channel.closingTxid;
  return undecided || ((channel.state === 'ready' || channel.state === 'pending') && !channel.usable);
}

/** A failed channel still holds coins, so it stays among the live ones. */
function over(channel: Channel): boolean {
  return channel.state === 'closed' || (channel.close !== undefined && isDone(channel.close));
}
