// Adds what is written in TypeScript to the folder with the module and its bindings, which is then the package.
//
//   node build.mjs FOLDER TOOLS
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { argv, execPath } from 'node:process';

const [folder, tools] = argv.slice(2).map((path) => resolve(path));
const here = import.meta.dirname;
const src = join(here, 'src');
// First, for it says that the files beside it are modules.
for (const name of ['package.json', 'README.md']) copyFileSync(join(here, name), join(folder, name));
const settings = join(folder, 'tsconfig.json');
writeFileSync(
  settings,
  JSON.stringify({
    extends: join(here, 'tsconfig.json'),
    // The sources import the bindings as if they lay beside them, which they do where they are installed.
    compilerOptions: { rootDir: src, rootDirs: [src, folder], outDir: folder, typeRoots: [join(tools, 'node_modules/@types')] },
    include: [src],
  }),
);
execFileSync(execPath, [join(tools, 'node_modules/typescript/bin/tsc'), '-p', settings], { stdio: 'inherit' });
rmSync(settings);
