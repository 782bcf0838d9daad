import { defineConfig } from 'vite';

// The app is written to the React API and built over Preact, which is a tenth of the size. `PARLANCE_UI=react` builds the same source over React itself: that
// both work is what keeps the source to the API that they share.
const isReact = process.env.PARLANCE_UI === 'react';

const preact = [
  { find: /^react-dom\/client$/, replacement: 'preact/compat/client' },
  { find: /^react\/jsx-runtime$/, replacement: 'preact/jsx-runtime' },
  { find: /^react\/jsx-dev-runtime$/, replacement: 'preact/jsx-dev-runtime' },
  { find: /^react(-dom)?$/, replacement: 'preact/compat' },
];

export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias: isReact ? [] : preact, dedupe: ['preact', 'react', 'react-dom'] },
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
