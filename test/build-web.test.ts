import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { removeFolders, temporaryFolder } from './support/server-process.ts';

// The building of the web app, on an app of two lines in a checkout of its own.

const root = join(import.meta.dirname, '..');

afterAll(removeFolders);

it('builds the app with its compressed forms, again only after a change, and never leaves half of one', async () => {
  const { buildWeb } = (await import(join(root, 'scripts/build-web.mjs'))) as { buildWeb(root: string, run: (args: string[]) => void): void };
  const checkout = await temporaryFolder();
  const web = join(checkout, 'packages/web');
  mkdirSync(join(web, 'src'), { recursive: true });
  mkdirSync(join(checkout, 'node_modules'));
  symlinkSync(join(root, 'node_modules/vite'), join(checkout, 'node_modules/vite'));
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>App</title><script type="module" src="/src/main.ts"></script>');
  writeFileSync(join(web, 'src/main.ts'), 'document.title = `one` as string;\n');
  let builds = 0;
  const build = (): void =>
    buildWeb(checkout, (args) => {
      builds++;
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
    });

  build();
  const script = (): string => join(web, 'dist/assets', readdirSync(join(web, 'dist/assets')).find((name) => name.endsWith('.js'))!);
  const first = script();
  expect(readFileSync(first, 'utf8')).toContain('one');
  expect(brotliDecompressSync(readFileSync(`${first}.br`))).toEqual(readFileSync(first));
  expect(gunzipSync(readFileSync(`${join(web, 'dist/index.html')}.gz`))).toEqual(readFileSync(join(web, 'dist/index.html')));

  build();
  writeFileSync(join(web, 'src/main.test.ts'), '');
  build();
  expect(builds, 'nothing changed but a test').toBe(1);

  writeFileSync(join(web, 'src/main.ts'), 'document.title = `two`;\n');
  build();
  expect([builds, script() === first, readFileSync(script(), 'utf8').includes('two')]).toEqual([2, false, true]);

  rmSync(join(web, 'dist'), { recursive: true });
  build();
  expect(builds, 'it was gone').toBe(3);

  const whole = script();
  appendFileSync(join(web, 'src/main.ts'), 'this is no script');
  expect(build).toThrow();
  expect(script(), 'a build that fails leaves the one before').toBe(whole);
});
