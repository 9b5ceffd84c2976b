import asyncio
import kite_wallet as kite


async def pay(config, passphrase, node_id, address, invoice):
    exists = await kite.wallet_exists(config)
    wallet = await (kite.Wallet.open(config, passphrase) if exists else kite.Wallet.create(config, passphrase, None))
    await wallet.start()
    await wallet.connect_peer(node_id, address)
    while not any(channel.usable for channel in await wallet.list_channels()):
        await asyncio.sleep(0.2)
    quote = await wallet.prepare_send(kite.SendRequest(input=invoice))  # amount, payee, fee, expiry: show them, and ask
    payment = await wallet.wait_payment((await wallet.send(quote)).id, 60)
    await wallet.stop()
    return payment
