#!/usr/bin/env node
// The door: plain JavaScript that old versions of Node can read too, so that a wrong version is told in one sentence instead of a stack. In a
// checkout it goes on with the Node that `npm install` brought along; the program proper is ../dist/main.js.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const wantedMajor = 24;
const launchedBy = '_PARLANCE_LAUNCHER'; // The prefix PARLANCE_ is the settings', of which the server refuses those it does not know.

const folder = dirname(fileURLToPath(import.meta.url));
const program = join(folder, '../dist/main.js');
const ownNode = join(folder, '../../../node_modules/.bin/node');
const isOld = Number(process.versions.node.split('.')[0]) < wantedMajor;

if (isOld && process.env[launchedBy] === undefined && existsSync(ownNode)) relaunch();
else if (isOld) fail(`Parlance needs Node ${wantedMajor} or newer and this is ${process.version}: install a newer one from https://nodejs.org.`);
else if (!existsSync(program)) fail('Parlance is not built yet: run `npm run build` in the checkout first.');
else start();

function start() {
  if (process.env[launchedBy] !== undefined) {
    delete process.env[launchedBy];
    // A launcher that was killed can pass nothing on. Without this, its server would stay and hold the data folder.
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    if (process.channel) process.channel.unref();
  }
  import('../dist/main.js').catch((error) => {
    process.exitCode = 1;
    console.error(`Parlance could not start: ${error.message}`);
  });
}

function relaunch() {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [launchedBy]: '1' },
  });
  // A terminal sends Ctrl-C to both of us; passing it on would make it two, and the second means "at once".
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) {
    const isFromTerminal = hasTerminal && (signal === 'SIGINT' || signal === 'SIGQUIT');
    process.on(signal, () => isFromTerminal || child.kill(signal));
  }
  child.on('error', (error) => fail(`${ownNode} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(sentence) {
  console.error(sentence);
  process.exitCode = 1;
}
