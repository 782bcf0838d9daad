import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, test } from 'vitest';

test('the bundle is at most 12 KB gzipped and has no validator and nothing of Node in it', async () => {
  const built = await build({
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2024',
      lib: { entry: fileURLToPath(new URL('index.ts', import.meta.url)), formats: ['es'] },
      // Vite leaves the white space in an ES library; whoever bundles the SDK into a page does not.
      rolldownOptions: { output: { minify: true } },
    },
  });
  const outputs = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const chunks = outputs.filter((output) => output.type === 'chunk');
  expect(chunks).toHaveLength(1);
  const [{ code, moduleIds, imports }] = chunks as [(typeof chunks)[0]];
  const modules = moduleIds.map((id) => id.replace(/.*\/packages\//, '')).filter((id) => !id.startsWith('sdk/src/') && !id.startsWith('\0'));
  expect(modules.filter((id) => !/^schema\/dist\/(ids|limits|close-codes|errors)\.js$/.test(id))).toEqual([]);
  expect(imports).toEqual([]);
  expect(code).not.toMatch(/typebox/i);
  console.log(`bundle: ${code.length} bytes, ${gzipSync(code).length} gzipped`);
  expect(gzipSync(code).length).toBeLessThanOrEqual(12 * 1024);
});

test('the bundle keeps the client in it', async () => {
  const { Parlance } = await import('./index.ts');
  expect(typeof Parlance.logIn).toBe('function');
});
