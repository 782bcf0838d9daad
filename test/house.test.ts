import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

// Keeps the house tidy: imports run one way, only compose.ts knows engines, and what the documents name exists.

const root = join(import.meta.dirname, '..');
const serverRoot = join(root, 'packages/server/src');

/** Which folders a folder may import from, beside itself; a file where only that may be. */
const arrows: Record<string, string[]> = {
  store: [],
  journal: ['store/port.ts', 'store/rows.ts'],
  conversation: ['journal/command.ts', 'journal/record.ts', 'store/rows.ts', 'store/facts.ts'],
  account: ['journal/command.ts', 'journal/record.ts', 'store/rows.ts', 'store/facts.ts'],
  sequencer: ['conversation', 'account', 'journal', 'store/port.ts', 'store/rows.ts', 'store/facts.ts'],
  node: ['sequencer/chain.ts', 'journal/port.ts', 'journal/command.ts', 'journal/record.ts', 'store/port.ts', 'store/rows.ts'],
  transport: [
    'node',
    'journal/port.ts',
    'journal/command.ts',
    'journal/record.ts',
    'store/port.ts',
    'store/rows.ts',
    'store/verify.ts',
    'config.ts',
    'logger.ts',
  ],
  'config.ts': [],
  'logger.ts': ['config.ts'],
  'writer.ts': ['compose.ts'],
  'compose.ts': ['journal', 'store', 'sequencer', 'config.ts'],
  'main.ts': ['compose.ts', 'config.ts', 'logger.ts', 'node', 'transport', 'journal/command.ts'],
};

/** Parts of a folder that only their own kind and compose.ts may import. */
const engines = ['store/embedded', 'store/cassandra', 'journal/embedded.ts', 'journal/thread.ts', 'journal/kafka'];

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

const importsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+)'/g)].map((match) => relative(serverRoot, join(file, '..', match[1]!)));

/** What is wrong with an import, if anything. */
function wrongImport(from: string, to: string): string | undefined {
  const place = from.split('/')[0]!;
  const engine = engines.find((one) => to === one || to.startsWith(`${one}/`));
  const isSameEngine = engine !== undefined && (from === engine || from.startsWith(`${engine}/`));
  if (engine !== undefined && !isSameEngine && from !== 'compose.ts') return `${from} names the engine ${to}: only compose.ts may`;
  if (to.startsWith(`${place}/`)) return undefined;
  const allowed = arrows[place];
  if (allowed === undefined) return `${from} stands in a folder that house.test.ts does not know`;
  if (allowed.some((one) => to === one || to.startsWith(`${one}/`))) return undefined;
  return `${from} imports ${to}: that is against the arrows`;
}

describe('the house', () => {
  it('has no import against the arrows', () => {
    const wrong = filesBelow(serverRoot)
      .filter((file) => !/\.(test|fixture)\.ts$/.test(file))
      .flatMap((file) => importsOf(file).map((to) => wrongImport(relative(serverRoot, file), to)))
      .filter((finding) => finding !== undefined);
    expect(wrong).toEqual([]);
  });

  it('notices imports against the arrows', () => {
    expect(wrongImport('conversation/decide.ts', 'transport/http.ts')).toContain('against the arrows');
    expect(wrongImport('conversation/decide.ts', 'store/port.ts')).toContain('against the arrows');
    expect(wrongImport('transport/http.ts', 'store/embedded/store.ts')).toContain('only compose.ts');
    expect(wrongImport('journal/port.ts', 'journal/embedded.ts')).toContain('only compose.ts');
    expect(wrongImport('elsewhere/x.ts', 'store/port.ts')).toContain('does not know');
    expect(wrongImport('compose.ts', 'store/embedded/store.ts')).toBeUndefined();
  });

  it('keeps the schema and the SDK free of each other’s and the server’s insides', () => {
    for (const name of ['schema', 'sdk']) {
      const folder = join(root, `packages/${name}/src`);
      for (const file of filesBelow(folder).filter((one) => !one.endsWith('.test.ts'))) {
        const foreign = [...readFileSync(file, 'utf8').matchAll(/from '([^'.][^']*)'/g)].map((match) => match[1]!);
        const allowed = name === 'schema' ? /^typebox/ : /^@parlance\/schema\//;
        expect(
          foreign.filter((one) => !allowed.test(one)),
          relative(root, file),
        ).toEqual([]);
      }
    }
  });

  it('has documents whose links lead somewhere', () => {
    const documents = [
      'README.md',
      ...readdirSync(join(root, 'docs'))
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/${name}`),
    ];
    for (const document of documents) {
      const text = readFileSync(join(root, document), 'utf8');
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
        expect(() => readFileSync(join(root, document, '..', target!)), `${document} links to ${target}`).not.toThrow();
      }
    }
  });

  it('names no machine and no registry', () => {
    const texts = ['README.md', 'package.json', 'package-lock.json', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter((name) =>
      /\.(md|json)$/.test(name),
    );
    for (const name of texts) expect(readFileSync(join(root, name), 'utf8'), name).not.toMatch(/"resolved": "http|\/work\/|\/root\//);
  });
});
