// Prints three numbers for a file: its bytes, those after gzip -9, those after brotli 11.
import { readFileSync } from 'node:fs';
import { argv, stdout } from 'node:process';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const bytes = readFileSync(argv[2]);
const gzip = gzipSync(bytes, { level: 9 });
const brotli = brotliCompressSync(bytes, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
});
stdout.write(`${bytes.length} ${gzip.length} ${brotli.length}\n`);
