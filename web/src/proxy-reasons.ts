// Why the proxy ended a connection, in words. The names are those of its close frames (proxy/README.md).

import type { Explanation } from './sentences.ts';

const CHECK_ADDRESS = 'Check the address, and that the node is running.';
const ANOTHER_NODE = 'Choose another node, or ask whoever runs this page.';
const ONCE_MORE = 'Try again; if it stays, choose another node.';

const REASONS: Record<string, Explanation> = {
  bad_destination: { what: 'No node can have that address.', next: 'It has the form 02ab…@host:port.' },
  host_not_allowed: { what: 'The proxy of this page does not connect to that host.', next: ANOTHER_NODE },
  port_not_allowed: { what: 'The proxy of this page does not connect to that port.', next: ANOTHER_NODE },
  private_address: { what: 'That address belongs to a private network, which the proxy of this page does not enter.', next: 'Use the node’s public address.' },
  client_connections: { what: 'You have too many connections open.', next: 'Disconnect from a node under Peers, or close other pages that use this proxy.' },
  client_rate: { what: 'You opened too many connections in the last minute.', next: 'Wait a minute and try again.' },
  unresolvable: { what: 'There is no host of that name.', next: 'Check the spelling of the address.' },
  connect_timeout: { what: 'The node did not answer in time.', next: CHECK_ADDRESS },
  connect_failed: { what: 'Nothing answers at that address.', next: CHECK_ADDRESS },
  remote_reset: { what: 'The node broke the connection.', next: 'Check that its id is right, and try again.' },
  remote_stalled: { what: 'The node no longer reads what it is sent.', next: ONCE_MORE },
  remote_closed: { what: 'The node closed the connection.', next: 'Check that its id is right, and try again.' },
  idle: { what: 'The node has said nothing for too long.', next: ONCE_MORE },
  shutting_down: { what: 'The proxy of this page is being restarted.', next: 'Try again in a moment.' },
  protocol_error: { what: 'The proxy of this page did not understand it.', next: 'Reload the page and try again.' },
  text_frame: { what: 'The proxy of this page did not understand it.', next: 'Reload the page and try again.' },
  message_too_big: { what: 'This page sent more at once than its proxy takes.', next: 'Reload the page and try again.' },
};

/** The words for a reason of the proxy; unset for any other text. */
export function proxyReason(reason: unknown): Explanation | undefined {
  return typeof reason === 'string' && Object.hasOwn(REASONS, reason) ? REASONS[reason] : undefined;
}
