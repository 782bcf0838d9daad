import { type Call, type CallName, calls } from '@parlance/schema/calls';
import { clientIdPattern } from '@parlance/schema/ids';
import { Refusal } from '../node/refusal.ts';
import { newClientId } from '../node/writes.ts';
import { invalid } from './validate.ts';

// From a request to the flat input of a call: the fields of the path, and the others from the query (GET), the body (POST, PUT, PATCH) or either (DELETE).
// Nothing is guessed: a field that comes twice, in the wrong place or in another form than the one described is refused by its name.

/** What a request brings, in parts. */
export interface Parts {
  path: Record<string, string>;
  /** The query, without its question mark. */
  query: string;
  /** The parsed body; undefined when there was none. */
  body: unknown;
  idempotencyKey: string | undefined;
  /** Time for a client_id that has to be made, ms. */
  now: number;
}

type Fields = Record<string, unknown>;

const clientId = new RegExp(clientIdPattern);

/** The input as the schema may check it. A write has a client_id afterwards. */
export function inputOf(name: CallName, { path, query, body, idempotencyKey, now }: Parts): Fields | Refusal {
  const call: Call = calls[name];
  const fromQuery = readQuery(call, query);
  if (fromQuery instanceof Refusal) return fromQuery;
  const mayHaveBody = call.method !== 'GET';
  if (mayHaveBody && body !== undefined && !isObject(body)) return new Refusal('invalid_request', { detail: 'The body must be one JSON object.' });
  const input = mayHaveBody && isObject(body) ? body : fromQuery;
  for (const field of Object.keys(path)) {
    if (Object.hasOwn(input, field) || Object.hasOwn(fromQuery, field)) return invalid(field, 'is given by the path');
    input[field] = path[field];
  }
  if (input !== fromQuery) {
    const refusal = merge(call, input, fromQuery);
    if (refusal !== undefined) return refusal;
  }
  return call.write === true ? (addClientId(input, idempotencyKey, now) ?? input) : input;
}

/** DELETE takes its fields from the query too; the other calls with a body take nothing from it. */
function merge(call: Call, input: Fields, fromQuery: Fields): Refusal | undefined {
  for (const [field, value] of Object.entries(fromQuery)) {
    if (call.method !== 'DELETE') return invalid(field, 'belongs into the body');
    if (Object.hasOwn(input, field) && input[field] !== value) return invalid(field, 'is one thing in the query and another in the body');
    input[field] = value;
  }
  return undefined;
}

function addClientId(input: Fields, idempotencyKey: string | undefined, now: number): Refusal | undefined {
  if (idempotencyKey === undefined) {
    input.client_id ??= newClientId(now);
    return undefined;
  }
  // The draft of the header has a quoted string (draft-ietf-httpapi-idempotency-key-header), common use has not.
  const key = /^"(.*)"$/.exec(idempotencyKey)?.[1] ?? idempotencyKey;
  if (!clientId.test(key)) return invalid('client_id', 'must be 1 to 64 printable ASCII characters, in the header Idempotency-Key too');
  if (input.client_id !== undefined && input.client_id !== key) return new Refusal('idempotency_mismatch');
  input.client_id = key;
  return undefined;
}

function readQuery(call: Call, query: string): Fields | Refusal {
  const fields: Fields = {};
  if (query === '') return fields;
  for (const part of query.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const field = decode(at < 0 ? part : part.slice(0, at));
    const value = decode(at < 0 ? '' : part.slice(at + 1));
    if (field === undefined || value === undefined) return new Refusal('invalid_request', { detail: 'The query is not valid percent-encoding of UTF-8.' });
    // Refused here, since setting it would not make it a field for the schema to refuse.
    if (field === '__proto__') return invalid(field, 'is unknown');
    if (Object.hasOwn(fields, field)) return invalid(field.slice(0, 64).toWellFormed(), 'is given twice');
    fields[field] = typed(call, field, value);
  }
  return fields;
}

function decode(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

// What is not exactly the form of its type stays a string, which the schema then refuses by name.
function typed(call: Call, field: string, value: string): unknown {
  const type = Object.hasOwn(call.input.properties, field) ? (call.input.properties[field] as { type?: string }).type : undefined;
  if (type === 'integer' && /^(0|[1-9]\d{0,15})$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
