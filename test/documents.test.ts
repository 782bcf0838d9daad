import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncApi } from '@parlance/schema/asyncapi';
import { type Call, calls, commonCodes } from '@parlance/schema/calls';
import { decidedCodes, problems } from '@parlance/schema/errors';
import { openApi } from '@parlance/schema/openapi';
import { expect, it } from 'vitest';
import { settingsTable } from '../packages/server/src/config.ts';

// Documents that are made from the code, kept in the repository so that a change of the contract is seen as one: `npm test -- -u test/documents` writes them anew.

const docs = join(import.meta.dirname, '../docs');
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../packages/server/package.json'), 'utf8')) as { version: string };

it('docs/openapi.json is what the schemas say', async () => {
  await expect(`${JSON.stringify(openApi(version), null, 2)}\n`).toMatchFileSnapshot(join(docs, 'openapi.json'));
});

it('docs/asyncapi.json is what the schemas say', async () => {
  await expect(`${JSON.stringify(asyncApi(version), null, 2)}\n`).toMatchFileSnapshot(join(docs, 'asyncapi.json'));
});

it('docs/errors.md lists the catalogue', async () => {
  const decided = new Set<string>(decidedCodes);
  const rows = Object.entries(problems).map(
    ([code, { status, title, help }]) => `| \`${code}\` | ${status} | ${decided.has(code) ? 'yes' : ''} | ${title} | ${help} |`,
  );
  const text = `# Refusals

Everything the server can refuse. A code is for ever; the sentences may be improved. *Kept*: decided in the order of a conversation, and the answer to every repetition of the \`client_id\`
(\`decided: true\`); of the others nothing is stored.

| code | status | kept | what it says | what to do |
|---|---|---|---|---|
${rows.join('\n')}
`;
  await expect(text).toMatchFileSnapshot(join(docs, 'errors.md'));
});

it('docs/operations.md lists the settings', () => {
  expect(readFileSync(join(docs, 'operations.md'), 'utf8')).toContain(settingsTable());
});

it('every code is refused by some call, and every call names codes of the catalogue', () => {
  const named = new Set<string>([...commonCodes, ...Object.values(calls).flatMap((call: Call) => [...call.refusals])]);
  const byAccess = ['not_signed_in', 'admin_only', 'origin_refused'];
  const live = ['earlier_write_failed', 'upgrade_required'];
  expect([...new Set([...named, ...byAccess, ...live])].sort()).toEqual(Object.keys(problems).sort());
});
