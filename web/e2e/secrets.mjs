// What a wallet's words give (BIP 39, BIP 32): the bytes that no file may hold as they are.

import { createECDH, createHmac, pbkdf2Sync } from 'node:crypto';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HARDENED = 0x80000000;
/** BIP 44's number of every network that is for trying. */
const COIN = 1;

/** The words of a published vector of BIP 39, which also says what entropy they stand for. */
export const KNOWN = {
  words: 'ozone drill grab fiber curtain grace pudding thank cruise elder eight picnic'.split(' '),
  entropy: Buffer.from('9e885d952ad362caeb4efe34a8e91bd2', 'hex'),
};

/** The seed of these words and the keys of the wallet, by name. The paths are those of `core/src/crypto/keys.rs`. */
export function secretsOf(words) {
  const seed = pbkdf2Sync(words.join(' '), 'mnemonic', 2048, 64, 'sha512');
  const master = split(createHmac('sha512', 'Bitcoin seed').update(seed).digest());
  const own = (last) => path(master, [9735, COIN, last]).key;
  const channels = own(1);
  const channelKey = (name) => createHmac('sha256', channels).update(Buffer.concat([Buffer.alloc(4), Buffer.from(name), Buffer.alloc(1)])).digest();
  return {
    seed,
    'half of the seed': seed.subarray(0, 32),
    'master key': master.key,
    'key of the node': own(0),
    'root of channel keys': channels,
    'root of invoices': own(2),
    'key of the store': own(3),
    'key of the on-chain account': path(master, [84, COIN, 0]).key,
    'funding key of the first channel': channelKey('funding'),
    'root of per-commitment secrets of the first channel': channelKey('commitment_seed'),
  };
}

/** The public key of a private one, in hex. */
export function publicKey(key) {
  const pair = createECDH('secp256k1');
  pair.setPrivateKey(key);
  return pair.getPublicKey('hex', 'compressed');
}

function path(from, indexes) {
  return indexes.reduce((parent, index) => {
    const data = Buffer.alloc(37);
    parent.key.copy(data, 1);
    data.writeUInt32BE(HARDENED + index, 33);
    const child = split(createHmac('sha512', parent.code).update(data).digest());
    const key = (BigInt(`0x${child.key.toString('hex')}`) + BigInt(`0x${parent.key.toString('hex')}`)) % ORDER;
    return { key: Buffer.from(key.toString(16).padStart(64, '0'), 'hex'), code: child.code };
  }, from);
}

function split(bytes) {
  return { key: bytes.subarray(0, 32), code: bytes.subarray(32) };
}
