// The log in the one form that it has in every language.

export class Log {
  private readonly words = new Map<string, number>();
  private lines: string[] = [];

  /** `varying` names the fields whose values differ from run to run, wherever they occur. */
  constructor(private readonly varying: string[]) {}

  write(line: unknown, varies: string[] = []): void {
    this.lines.push(this.text(line, [...this.varying, ...varies]));
  }

  /** What was written since it was taken last. */
  take(): string {
    return this.lines.splice(0).map((line) => `${line}\n`).join('');
  }

  /** JSON with its fields in order, without what is unset, and with `bigint` as the number it is. */
  private text(value: unknown, varies: string[]): string {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'string') return JSON.stringify(value.replace(/[0-9A-Za-z]+/g, (word) => this.named(word)));
    if (Array.isArray(value)) return `[${value.map((item) => this.text(item, varies)).join()}]`;
    if (typeof value === 'object' && value !== null) {
      const set = Object.entries(value).filter(([, field]) => field !== undefined);
      const fields = set
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, field]) => `${JSON.stringify(name)}:${varies.includes(name) ? '"*"' : this.text(field, varies)}`);
      return `{${fields.join()}}`;
    }
    return JSON.stringify(value);
  }

  /** The n-th random word is `<n>`: hashes, keys and ids; regtest addresses and invoices. */
  private named(word: string): string {
    if (!/^([0-9a-f]{32,}|(?=.{20})(bcrt1|lnbcrt).*)$/i.test(word)) return word;
    if (!this.words.has(word)) this.words.set(word, this.words.size + 1);
    return `<${this.words.get(word)}>`;
  }
}
