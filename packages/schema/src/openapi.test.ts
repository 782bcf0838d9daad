import { expect, test } from 'vitest';
import { asyncApi, closeCodeList } from './asyncapi.ts';
import { callNames, calls } from './calls.ts';
import { type Code, problems } from './errors.ts';
import { clientFrames, serverFrames } from './live.ts';
import { codesOf, openApi } from './openapi.ts';

type Any = any;

const document: Any = JSON.parse(JSON.stringify(openApi('1.2.3')));
const live: Any = JSON.parse(JSON.stringify(asyncApi('1.2.3')));

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [inner as string] : refsIn(inner)));
}

const resolve = (root: Any, ref: string): unknown =>
  ref
    .slice(2)
    .split('/')
    .reduce((at, key) => at?.[key], root);

test.each([
  ['OpenAPI', document],
  ['AsyncAPI', live],
])('every reference in the %s document leads somewhere', (_, root) => {
  const refs = refsIn(root);
  expect(refs.length).toBeGreaterThan(10);
  for (const ref of refs) expect(resolve(root, ref), ref).toBeDefined();
});

test.each(callNames)('%s stands in the document with its path, every field in its place and every code', (name) => {
  const call = calls[name];
  const operation = document.paths[call.path][call.method.toLowerCase()];
  expect(operation.operationId).toBe(name);
  const inPath = operation.parameters.filter((parameter: Any) => parameter.in === 'path').map((parameter: Any) => parameter.name);
  expect(inPath.map((field: string) => `{${field}}`)).toEqual(call.path.match(/\{\w+\}/g) ?? []);
  const elsewhere = operation.parameters.filter((parameter: Any) => parameter.in === 'query').map((parameter: Any) => parameter.name);
  const inBody = Object.keys(operation.requestBody?.content['application/json'].schema.properties ?? {});
  expect(new Set([...inPath, ...elsewhere, ...inBody])).toEqual(new Set(Object.keys(call.input.properties)));
  const documented = Object.values(operation.responses).flatMap((response: Any) =>
    response.$ref ? [response.$ref.split('/').at(-1)] : Object.keys(response.content?.['application/problem+json']?.examples ?? {}),
  );
  expect(new Set(documented)).toEqual(new Set(codesOf(name)));
});

test('the documents are of the versions they say, and hold no other operations', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(live.asyncapi).toBe('3.0.0');
  const operations = Object.values(document.paths).flatMap((path: Any) => Object.values(path).map((operation: Any) => operation.operationId));
  expect(operations.sort()).toEqual([...callNames].sort());
});

test('every code is described, and every code but those of the socket belongs to a call', () => {
  expect(Object.keys(document.components.responses).sort()).toEqual(Object.keys(problems).sort());
  const used = new Set<Code>(callNames.flatMap(codesOf));
  const unused = (Object.keys(problems) as Code[]).filter((code) => !used.has(code));
  expect(unused.sort()).toEqual(['earlier_write_failed', 'upgrade_required']);
});

test('a shared shape stands once and is referred to', () => {
  expect(document.components.schemas.Message.properties.text).toBeDefined();
  expect(document.paths['/v1/conversations/{conversation}/messages'].get.responses[200].content['application/json'].schema.properties.messages.items).toEqual({
    $ref: '#/components/schemas/Message',
  });
});

test('every frame of either side is described, and every close code named', () => {
  const names = [...Object.keys(clientFrames).map((name) => `client.${name}`), ...Object.keys(serverFrames).map((name) => `server.${name}`)];
  expect(Object.keys(live.channels.live.messages).sort()).toEqual(names.sort());
  expect(closeCodeList.length).toBeGreaterThanOrEqual(9);
  for (const { code } of closeCodeList) expect(live.info.description).toContain(String(code));
});
