import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';

// The app is written to the React API and built over Preact, which is a tenth of the size. `PARLANCE_UI=react` builds the same source over React itself: that
// both work is what keeps the source to the API that they share.
const isReact = process.env.PARLANCE_UI === 'react';

const preact = [
  { find: /^react-dom\/client$/, replacement: 'preact/compat/client' },
  { find: /^react\/jsx-runtime$/, replacement: 'preact/jsx-runtime' },
  { find: /^react\/jsx-dev-runtime$/, replacement: 'preact/jsx-dev-runtime' },
  { find: /^react(-dom)?$/, replacement: 'preact/compat' },
];

const noEntities = { find: /^entities$/, replacement: `${import.meta.dirname}/src/markdown/no-entities.ts` };

/**
 * The order of the cascade's layers is that of their first mention in the page, and which chunk's styles a page loads first is the bundler's affair: each of them
 * therefore begins with the order. Without this the base styles win over the views' wherever a view's chunk comes first.
 */
const layerOrder: Plugin = {
  name: 'layer-order',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type === 'asset' && file.fileName.endsWith('.css')) file.source = `@layer tokens,base,view;${file.source}`;
    }
  },
};

const core = 'core';

/**
 * The page itself knows neither in which language to draw nor for whom; its script finds out, and would then ask for what that takes, a round trip later. The server
 * knows both from the request, so it gets a page for every language, for a visitor with a session and for one without, which names those files
 * and says that there is no session to ask for.
 */
const pages: Plugin = {
  name: 'pages',
  enforce: 'post',
  generateBundle(_, bundle) {
    const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
    const filesOf = (chunk: (typeof chunks)[number] | undefined, files = new Set<string>()): Set<string> => {
      if (chunk === undefined) throw new Error('The page names a module that is no chunk of its own.');
      if (chunk.name === core || files.has(chunk.fileName)) return files;
      files.add(chunk.fileName);
      for (const css of chunk.viteMetadata?.importedCss ?? []) files.add(css);
      for (const name of chunk.imports) filesOf(chunks.find(({ fileName }) => fileName === name)!, files);
      return files;
    };
    const chunkOf = (source: string) => chunks.find(({ facadeModuleId }) => facadeModuleId === join(import.meta.dirname, 'src', source));
    const page = bundle['index.html'];
    if (page?.type !== 'asset') throw new Error('There is no page.');
    for (const language of readdirSync(join(import.meta.dirname, 'src/text')).flatMap((name) => /^(\w\w)\.ts$/.exec(name)?.[1] ?? [])) {
      for (const [visitor, view] of [
        ['signed-in', 'shell/start.ts'],
        ['signed-out', 'account/account-page.tsx'],
      ] as const) {
        const files = [...filesOf(chunkOf(`text/${language}.ts`)), ...filesOf(chunkOf(view))];
        const links = files.map((file) =>
          file.endsWith('.css') ? `<link rel="preload" as="style" crossorigin href="/${file}">` : `<link rel="modulepreload" crossorigin href="/${file}">`,
        );
        this.emitFile({
          type: 'asset',
          fileName: `.pages/${language}.${visitor}.html`,
          source: String(page.source)
            .replace('<html lang="en">', `<html lang="${language}" data-visitor="${visitor}">`)
            .replace('</head>', `${links.map((link) => `  ${link}\n  `).join('')}</head>`),
        });
      }
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias: [...(isReact ? [] : preact), noEntities], dedupe: ['preact', 'react', 'react-dom'] },
  plugins: [layerOrder, pages],
  oxc: { jsx: { runtime: 'automatic' } },
  css: { modules: { generateScopedName: '[name]_[local]_[hash:base64:4]' } },
  build: {
    target: 'es2022',
    cssTarget: 'chrome123',
    // The page's policy takes no inline script, so nothing may be put into the page itself.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // Libraries mark modules for servers that render; here there is none.
    rolldownOptions: {
      checks: { moduleLevelDirective: false },
      // What every page begins with, in one piece.
      output: { codeSplitting: { groups: [{ name: core, tags: ['$initial'] }] } },
    },
  },
});
