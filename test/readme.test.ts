import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readConfig } from '../packages/server/src/config.ts';
import { startServer } from '../packages/server/src/main.ts';

const root = join(import.meta.dirname, '..');

it('the five lines of the README send a first message', async () => {
  const code = /## A first message in five lines\n\n```js\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1];
  expect(code?.trim().split('\n')).toHaveLength(5);
  const folder = mkdtempSync(join(tmpdir(), 'parlance-readme-'));
  const running = await startServer(readConfig({}, ['--port=0', `--data-dir=${folder}`, '--log-level=silent']));
  // In the checkout, so that the packages are found as they are for whoever tries it there; and ended from outside, since live sockets stay open.
  const script = join(root, 'node_modules', `.readme-${process.pid}.mjs`);
  writeFileSync(script, `${code}\nsetTimeout(() => process.exit(0), 1000);\n`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script], { env: { ...process.env, PARLANCE_URL: running.url } });
    expect(stdout).toContain('Hello, Bob!');
  } finally {
    rmSync(script);
    await running.stop();
    rmSync(folder, { recursive: true });
  }
});
