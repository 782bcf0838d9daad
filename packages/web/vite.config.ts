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

export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias: [...(isReact ? [] : preact), noEntities], dedupe: ['preact', 'react', 'react-dom'] },
  plugins: [layerOrder],
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
    rolldownOptions: { checks: { moduleLevelDirective: false } },
  },
});
