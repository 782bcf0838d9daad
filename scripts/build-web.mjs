// Builds the web app into packages/web/dist, where the server reads it, and compresses its files there once, so that no server has to. Does nothing when
// what it is built from has not changed since.

import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';

/** Everything whose change changes the app: its sources, and the two packages it is built over. */
const inputs = [
  'package-lock.json',
  'scripts/build-web.mjs',
  'packages/web/index.html',
  'packages/web/package.json',
  'packages/web/public',
  'packages/web/src',
  'packages/web/vite.config.ts',
  'packages/schema/dist',
  'packages/sdk/dist',
];

/** Pictures and fonts of the web are compressed already. */
const compressible = ['.css', '.html', '.js', '.json', '.svg', '.txt', '.webmanifest'];

/**
 * Brings the app up to date. `run(args)` runs Node with these arguments and ends the process when that fails.
 * Other processes may read the app meanwhile: it is built elsewhere and takes the place of the old one as a whole.
 */
export function buildWeb(root, run) {
  // Without the app's sources a server runs as well; it says at `/` that it has no app.
  if (!existsSync(join(root, 'packages/web/index.html'))) return;
  const dist = join(root, 'packages/web/dist');
  // In the folder itself, so that it goes when somebody empties that, or builds by hand and leaves nothing compressed.
  const stamp = join(dist, '.stamp');
  const wanted = fingerprint(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const next = mkdtempSync(join(root, 'node_modules/.parlance-web-'));
  process.once('exit', () => rmSync(next, { recursive: true, force: true }));
  run([join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'packages/web'), '--outDir', next, '--emptyOutDir', '--logLevel', 'warn']);
  compress(next);
  chmodSync(next, 0o755); // Servers may run as somebody else.
  writeFileSync(join(next, '.stamp'), wanted);
  rmSync(dist, { recursive: true, force: true });
  renameSync(next, dist);
}

function fingerprint(root) {
  const hash = createHash('sha256');
  for (const file of inputs.flatMap((input) => filesOf(join(root, input))).sort()) {
    if (/\.(test\.tsx?|fixture\.tsx?|map|tsbuildinfo)$/.test(file)) continue;
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesOf(path) {
  if (!existsSync(path)) return [];
  if (extname(path) !== '') return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function compress(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !compressible.includes(extname(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  }
}
