import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (file: string) => readFileSync(new URL(file, import.meta.url), 'utf8');

test.each(['machine.ts', 'outbox.ts', 'conversation.ts', 'replica.ts', 'view.ts', 'answer.ts', 'session.ts'])(
  '%s reads no clock, draws no random number and starts no timer',
  (file) => {
    const code = read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(code).not.toMatch(/Date\b|Math\.random|setTimeout|setInterval|queueMicrotask|Promise|performance|globalThis|crypto|process|await/);
  },
);

test('nothing of Node is imported, and of the schema only types and plain constants', () => {
  for (const file of readdirSync(new URL('.', import.meta.url)).filter((name) => !name.endsWith('.test.ts'))) {
    for (const [, what, from] of read(file).matchAll(/^(import|export) (?!type )[^;]*? from '([^.'][^']*)';/gm)) {
      expect(from, `${what} in ${file}`).toMatch(/^@parlance\/schema\/(ids|limits|close-codes|errors)$/);
    }
  }
});
