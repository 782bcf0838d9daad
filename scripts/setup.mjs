// Sets the checkout up: installs what package-lock.json names, and builds. Does nothing that is done already, so every script of
// package.json begins with it. It runs on whatever Node the machine has; everything after it runs on the Node that the install brings.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWeb } from './build-web.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The Node that the install brings, where there is one for this platform; otherwise the present one. */
export function nodePath() {
  const own = join(root, 'node_modules/.bin/node');
  return existsSync(own) ? own : process.execPath;
}

function run(command, args, what) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] });
  if (error) throw error;
  if (status !== 0) {
    console.error(`${what} failed (${signal ?? `exit code ${status}`}).`);
    process.exit(status ?? 1);
  }
}

export function setup() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules/.parlance-setup');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
    console.error('Installing (once, and after a change of package-lock.json) …');
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci');
    writeFileSync(stamp, lock);
  }
  run(nodePath(), [join(root, 'node_modules/typescript/bin/tsc'), '-b'], 'The build');
  buildWeb(root, (args) => run(nodePath(), args, 'The build of the web app'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup();
