// Invoices with one thing wrong each, made of a good one, and what the page has to say of them.

const LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const TIMESTAMP_GROUPS = 7;
const SIGNATURE_GROUPS = 104;
const CHECKSUM_GROUPS = 6;
const FEATURES = LETTERS.indexOf('9');
const PAYEE = LETTERS.indexOf('n');
/** An even bit that no BOLT gives a meaning. */
const UNKNOWN_FEATURE = 100;
/** From "Examples" of BOLT 11: on mainnet. */
const ON_MAINNET = 'lnbc1pvjluezsp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygspp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq9qrsgq357wnc5r2ueh7ck6q93dj32dlqnls087fxdwk8qakdyafkq3yap9us6v52vjjsrvywa6rt52cm9r9zqt8r2t7mlcwspyetp5h2tztugp9lfyql';

/** A text and what is said of it, for each way an invoice can be wrong. `invoice` is good, of regtest and names an amount. */
export function wrongInvoices(invoice) {
  const last = invoice.at(-1) === 'q' ? 'p' : 'q';
  const asking = (amount) => rewritten(invoice, { prefix: `lnbcrt${amount}` });
  return [
    [invoice.slice(0, -1) + last, /the checksum is wrong: the invoice was changed or is not complete\..*Copy it again in full/s],
    [invoice.slice(0, -20), /the checksum is wrong: the invoice was changed or is not complete\./],
    [`${invoice.slice(0, 40).toUpperCase()}${invoice.slice(40)}`, /the invoice mixes upper and lower case\./],
    [`${invoice.slice(0, 40)}b${invoice.slice(41)}`, /the invoice contains the character 'b', which no invoice has\./],
    [rewritten(invoice, { change: (said) => ({ ...said, timestamp: said.timestamp - 3n * 366n * 86_400n }) }), /This invoice has expired \(.*\d{4}.*\)\..*Nothing was paid/s],
    [rewritten(invoice, { change: withUnknownFeature }), new RegExp(`feature bit ${UNKNOWN_FEATURE} is required to pay this invoice and not known here\\.`)],
    [asking('99999999999999999999'), /the amount is too large to count\./],
    [asking('21000001'), /2100000100000000000 msat is more than all bitcoin that can exist\./],
    [asking('2500000001p'), /the amount is not a whole number of millisatoshi\./],
    [asking('25x'), /"x" is not a multiplier of an amount\./],
    [ON_MAINNET, /This belongs to Bitcoin mainnet, and this wallet is on the local test network \(regtest\)\./],
    [rewritten(invoice, { prefix: 'lntbs10u' }), /This belongs to signet, and this wallet is on the local test network \(regtest\)\./],
  ];
}

/**
 * The invoice with another beginning or other content, and the checksum that fits. No key signs it anew: without the field that
 * names its payee it is of whomever its signature gives, and that one gives somebody for any content.
 */
function rewritten(invoice, { prefix, change = (said) => said }) {
  const end = invoice.lastIndexOf('1');
  const groups = [...invoice.slice(end + 1)].map((letter) => LETTERS.indexOf(letter));
  const signature = groups.slice(-SIGNATURE_GROUPS - CHECKSUM_GROUPS, -CHECKSUM_GROUPS);
  const timestamp = valueOf(groups.slice(0, TIMESTAMP_GROUPS));
  const fields = fieldsOf(groups.slice(TIMESTAMP_GROUPS, -SIGNATURE_GROUPS - CHECKSUM_GROUPS)).filter(([type]) => type !== PAYEE);
  const said = change({ timestamp, fields });
  const written = said.fields.flatMap(([type, content]) => [type, content.length >> 5, content.length & 31, ...content]);
  const data = [...groupsOf(said.timestamp, TIMESTAMP_GROUPS), ...written, ...signature];
  const beginning = prefix ?? invoice.slice(0, end);
  return `${beginning}1${[...data, ...checksum(beginning, data)].map((group) => LETTERS[group]).join('')}`;
}

/** The tagged fields: the type of each, and its content. */
function fieldsOf(groups) {
  if (groups.length === 0) return [];
  const [type, high, low] = groups;
  const end = 3 + high * 32 + low;
  return [[type, groups.slice(3, end)], ...fieldsOf(groups.slice(end))];
}

function withUnknownFeature({ timestamp, fields }) {
  const flags = (content) => groupsOf(valueOf(content) | (1n << BigInt(UNKNOWN_FEATURE)), Math.floor(UNKNOWN_FEATURE / 5) + 1);
  return { timestamp, fields: fields.map(([type, content]) => [type, type === FEATURES ? flags(content) : content]) };
}

function valueOf(groups) {
  return groups.reduce((value, group) => (value << 5n) | BigInt(group), 0n);
}

function groupsOf(value, count) {
  return Array.from({ length: count }, (_, place) => Number((value >> BigInt(5 * (count - 1 - place))) & 31n));
}

/** The checksum of bech32 (BIP 173). */
function checksum(prefix, data) {
  const codes = [...prefix].map((letter) => letter.charCodeAt(0));
  const all = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31), ...data, 0, 0, 0, 0, 0, 0];
  const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
  let sum = 1;
  for (const value of all) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    generators.forEach((generator, bit) => (top >> bit) & 1 && (sum ^= generator));
  }
  return groupsOf(BigInt((sum ^ 1) >>> 0), CHECKSUM_GROUPS);
}
