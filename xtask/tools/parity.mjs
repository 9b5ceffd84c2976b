// Compares what UniFFI offers with the TypeScript declarations, and with the list that was reviewed last.
//
//   node parity.mjs LIST-OF-UNIFFI KITE_WASM.d.ts docs/api.txt
import { existsSync, readFileSync } from 'node:fs';
import { argv, exit } from 'node:process';

const [listed, declarations, reviewed] = argv.slice(2);
const lines = (text) => text.split('\n').filter(Boolean);
const offered = lines(readFileSync(listed, 'utf8'));

/** A member or parameter: what may be left out may be undefined. */
function part(text) {
  const [, name, question, type] = /^(\w+)(\??): (.+)$/.exec(text.trim());
  const plain = type.replace(/ \| undefined$/, '');
  return `${name}: ${plain}${question || plain !== type ? ' | undefined' : ''}`;
}
const parameters = (text) => text.split(', ').filter(Boolean).map(part).join(', ');

/** Declared by a library that streams bodies of HTTP for us, and no part of the API. */
const NOT_OURS = /\bIntoUnderlying\w+/;

/** The declarations as one line for each thing. */
function read(script) {
  const found = [];
  const undocumented = [];
  const own = script.slice(0, script.indexOf('export type InitInput'));
  let inside, union, documented = false;
  for (const line of own.split('\n').map((line) => line.trim())) {
    let match;
    if (line.startsWith('/**')) documented = true;
    if (line === '' || /^(\/\*|\*)/.test(line)) continue;
    const note = (name) => documented || undocumented.push(name);
    if ((match = /^export (class|interface) (\w+)/.exec(line))) {
      [, , inside] = match;
      note(inside);
      found.push(`${match[1]} ${inside}`);
    } else if ((match = /^export type (\w+) =/.exec(line))) {
      union = match[1];
      note(union);
    } else if ((match = /^\| "(\w+)"/.exec(line)) && union) {
      note(`${union}.${match[1]}`);
      found.push(`${union} = "${match[1]}"`);
    } else if ((match = /^\| \{ (.+) \}/.exec(line)) && union) {
      const [tag, ...fields] = match[1].split('; ');
      note(`${union}.${tag}`);
      found.push(`${union} = { ${[tag, ...fields.map(part)].join('; ')} }`);
    } else if ((match = /^export function (\w+)\((.*)\): (.+);$/.exec(line))) {
      note(match[1]);
      found.push(`${match[1]}(${parameters(match[2])}): ${match[3]}`);
    } else if ((match = /^(static )?(\w+)\((.*)\): (.+);$/.exec(line)) && inside) {
      if (match[2] !== 'free') {
        note(`${inside}.${match[2]}`);
        found.push(`${match[1] ?? ''}${inside}.${match[2]}(${parameters(match[3])}): ${match[4]}`);
      }
    } else if ((match = /^(\w+\??: .+);$/.exec(line)) && inside) {
      note(`${inside}.${match[1]}`);
      found.push(`${inside}.${part(match[1])}`);
    } else if (line === '}') inside = undefined;
    if (/;$/.test(line) && !inside) union = undefined;
    documented = false;
  }
  const ours = (line) => !NOT_OURS.test(line);
  return { found: found.filter(ours), undocumented: undocumented.filter(ours) };
}

let passed = 0;
let failed = 0;
function check(name, problems) {
  problems.length ? failed++ : passed++;
  console.log(`test ${name} ... ${problems.length ? 'FAILED' : 'ok'}`);
  for (const problem of problems) console.log(`  ${problem}`);
}
function differences(first, second, firstName, secondName) {
  const [left, right] = [new Set(first), new Set(second)];
  return [
    ...[...left].filter((line) => !right.has(line)).map((line) => `only ${firstName}: ${line}`),
    ...[...right].filter((line) => !left.has(line)).map((line) => `only ${secondName}: ${line}`),
  ];
}

const { found, undocumented } = read(readFileSync(declarations, 'utf8'));
// TypeScript has no word for what a function throws.
const comparable = offered.map((line) => line.replace(/ throws \w+$/, ''));
check('parity::there_is_an_api', offered.length > 50 ? [] : [`only ${offered.length} lines`]);
check('parity::uniffi_and_typescript_offer_the_same', differences(comparable, found, 'UniFFI', 'TypeScript'));
check('parity::everything_has_docs', undocumented.map((name) => `no docs: ${name}`));
const rust = readFileSync(declarations, 'utf8').split('\n').filter((line) => /^\s*\*.*\w::\w/.test(line));
check('parity::docs_name_things_as_typescript_does', rust.map((line) => `a name of Rust: ${line.trim()}`));
const last = existsSync(reviewed) ? lines(readFileSync(reviewed, 'utf8')) : [];
check('parity::the_api_is_the_reviewed_one', differences(offered, last, 'now', 'in docs/api.txt')
  .concat(last.length ? [] : ['docs/api.txt is missing'])
  .map((line) => `${line} (if it is meant: cargo xtask api)`));
console.log(`\ntest result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed; 0 ignored`);
exit(failed ? 1 : 0);
