import { hash } from 'node:crypto';
import { closeCodeList } from '@parlance/schema/asyncapi';
import { type Call, type CallName, callNames, calls } from '@parlance/schema/calls';
import { type Code, decidedCodes, problems } from '@parlance/schema/errors';
import * as limits from '@parlance/schema/limits';
import { clientFrames, serverFrames } from '@parlance/schema/live';
import { codesOf, pathFieldsOf } from '@parlance/schema/openapi';
import type * as Type from 'typebox';

// The pages for people, made from the schema as the machine-readable descriptions are: no script, no request beyond the page.

const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: light-dark(#06c, #6bf) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 2rem 1.2rem 6rem }
h1 { font-size: 1.9rem } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line) } h3 { margin: 2rem 0 .3rem; font-size: 1.05rem }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
code { font: .88em ui-monospace, monospace } h3 code { font-size: 1rem }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .92rem } td, th { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line) }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: .4rem; overflow-x: auto }
.method { display: inline-block; min-width: 4.2rem; font-weight: 600 } .soft { opacity: .7 } nav ul { columns: 18rem; padding: 0; list-style: none }
`;

/** Headers of a page: its own style by hash, and nothing else from anywhere. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
};

export const frontPage = (): string =>
  page('Parlance', [
    '<h1>Parlance</h1>',
    '<p>This is a Parlance chat server, and it is running.</p>',
    '<ul><li><a href="/docs">How to use it</a>: every call, frame and code</li>',
    '<li><a href="/openapi.json">The calls as OpenAPI</a> and <a href="/asyncapi.json">the live socket as AsyncAPI</a></li></ul>',
  ]);

export const docsPage = (): string =>
  page('Parlance: the calls', [
    '<h1>Parlance</h1>',
    '<p>Everything this server answers. Machines read <a href="/openapi.json">/openapi.json</a> and <a href="/asyncapi.json">/asyncapi.json</a>, which are made from the same descriptions.</p>',
    firstSteps,
    `<nav><h2>Calls</h2><ul>${callNames.map((name) => `<li><a href="#${name}">${name}</a></li>`).join('')}</ul></nav>`,
    ...callNames.map(callSection),
    '<h2 id="live">The live socket</h2><p>A WebSocket at <code>/v1/live</code>, one JSON object a frame, told apart by <code>type</code>. Say hello first; then what was missed comes in order, then what happens.</p>',
    '<h2>Frames a client sends</h2>',
    ...Object.entries(clientFrames).map(([name, frame]) => frameSection(name, frame)),
    '<h2>Frames the server sends</h2>',
    ...Object.entries(serverFrames).map(([name, frame]) => frameSection(name, frame)),
    '<h2 id="close-codes">Close codes</h2>',
    table(
      ['code', 'name', 'what to do'],
      closeCodeList.map(({ code, name, advice }) => [String(code), name, advice.replace('_', ' ')]),
    ),
    '<h2 id="errors">Refusals</h2><p>Every refusal is a problem (RFC 9457) with one of these codes. <code>decided: true</code> says that it is the stored answer to this client_id.</p>',
    table(
      ['code', 'status', 'meaning'],
      (Object.keys(problems) as Code[]).map((code) => [errorLink(code), String(problems[code].status), escaped(problems[code].title)]),
    ),
    '<h2 id="limits">Limits</h2>',
    table(
      ['limit', 'default'],
      Object.entries(limits).map(([name, value]) => [`<code>${name}</code>`, String(value)]),
    ),
  ]);

export function errorPage(code: Code): string {
  const { status, title, help } = problems[code];
  const by = callNames.filter((name) => codesOf(name).includes(code));
  const isDecided = (decidedCodes as readonly Code[]).includes(code);
  return page(`Parlance: ${code}`, [
    `<p><a href="/docs#errors">All refusals</a></p><h1><code>${code}</code></h1>`,
    `<p><strong>${escaped(title)}</strong> Status ${status}.</p><p>${escaped(help)}</p>`,
    isDecided ? '<p>On a write this is decided: it is stored, and is the answer to every repetition of the same client_id.</p>' : '',
    by.length === 0 ? '' : `<p class="soft">From: ${by.map((name) => `<a href="/docs#${name}">${name}</a>`).join(', ')}</p>`,
  ]);
}

const firstSteps = `<pre>curl -d '{"user_id":"ada","email":"ada@example.org","password":"correct horse"}' -H content-type:application/json $URL/v1/accounts
curl -d '{"user_id":"ada","password":"correct horse"}' -H content-type:application/json $URL/v1/sessions
curl -d '{"text":"hello"}' -H content-type:application/json -H "authorization: Bearer $TOKEN" $URL/v1/conversations/@ada/messages</pre>`;

function callSection(name: CallName): string {
  const call: Call = calls[name];
  const inPath = pathFieldsOf(call.path);
  const where = (field: string): string =>
    inPath.includes(field) ? 'path' : call.method === 'GET' ? 'query' : call.method === 'DELETE' ? 'query or body' : 'body';
  const who = { public: 'Anyone.', session: 'Needs a session.', admin: 'Administrators only.' }[call.access];
  return [
    `<h3 id="${name}"><span class="method">${call.method}</span> <code>${escaped(call.path)}</code></h3>`,
    `<p>${escaped(call.summary)} <span class="soft">${who} Answers ${call.status ?? 200}. <code>${name}</code></span></p>`,
    fieldsTable(call.input, where),
    answerLine(call.answer),
    `<p class="soft">Refuses: ${call.refusals.map(errorLink).join(', ') || 'only what every call may'}</p>`,
  ].join('\n');
}

const frameSection = (name: string, frame: Type.TObject): string => {
  const description = (frame as { description?: string }).description;
  return [`<h3><code>${name}</code></h3>`, description === undefined ? '' : `<p>${escaped(description)}</p>`, fieldsTable(frame, () => '')].join('\n');
};

function fieldsTable(schema: Type.TObject, where: (field: string) => string): string {
  const required = (schema as { required?: string[] }).required ?? [];
  const rows = Object.entries(schema.properties).map(([field, type]) => [
    `<code>${field}</code>`,
    [where(field), required.includes(field) ? '' : 'optional'].filter(Boolean).join(', '),
    `<code>${escaped(typeOf(type))}</code>`,
    escaped((type as { description?: string }).description ?? ''),
  ]);
  return rows.length === 0 ? '' : table(['field', '', 'type', ''], rows);
}

function answerLine(answer: Type.TSchema): string {
  const { properties, title } = answer as { properties?: Type.TProperties; title?: string };
  if (properties === undefined) return '';
  const fields = Object.entries(properties).map(([field, type]) => `<code>${field}</code> <span class="soft">${escaped(typeOf(type))}</span>`);
  return `<p>Answer${title === undefined ? '' : ` (${title})`}: ${fields.join(', ')}</p>`;
}

function typeOf(schema: Type.TSchema): string {
  const {
    type,
    anyOf,
    items,
    title,
    const: literal,
  } = schema as { type?: string; anyOf?: Type.TSchema[]; items?: Type.TSchema; title?: string; const?: unknown };
  if (literal !== undefined) return JSON.stringify(literal);
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' | ');
  if (items !== undefined) return `${typeOf(items)}[]`;
  return title ?? type ?? 'any';
}

const errorLink = (code: Code): string => `<a href="/docs/errors/${code}"><code>${code}</code></a>`;

const table = (heads: string[], rows: string[][]): string =>
  `<table><tr>${heads.map((head) => `<th>${head}</th>`).join('')}</tr>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}</table>`;

const page = (title: string, parts: string[]): string =>
  `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title><style>${style}</style></head>\n<body>\n${parts.join('\n')}\n</body></html>\n`;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character]!);
