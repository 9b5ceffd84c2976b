import { Wallet, walletExists, type Payment, type WalletConfig } from 'kite-wallet';

export async function pay(config: WalletConfig, passphrase: string, nodeId: string, address: string, invoice: string): Promise<Payment> {
  const wallet = (await walletExists(config)) ? await Wallet.open(config, passphrase) : await Wallet.create(config, passphrase);
  await wallet.start();
  await wallet.connectPeer(nodeId, address);
  while (!(await wallet.listChannels()).some((channel) => channel.usable)) await new Promise((go) => setTimeout(go, 200));
  const quote = await wallet.prepareSend({ input: invoice }); // amount, payee, fee, expiry: show them, and ask
  const { id } = await wallet.send(quote);
  const payment = await wallet.waitPayment(id, 60);
  await wallet.stop();
  return payment;
}
