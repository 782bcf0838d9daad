import type * as Type from 'typebox';
import { type Access, type Call, type CallName, callNames, calls, commonCodes } from './calls.ts';
import { type Code, problems } from './errors.ts';
import { ProblemDetails } from './types.ts';

// The description of the HTTP calls (OpenAPI 3.1), made from the same schemas that validate, so that the two cannot differ. A call's flat input is
// split back into path, query and body.

type Json = Record<string, unknown>;

const accessCodes: Record<Access, readonly Code[]> = {
  public: ['rate_limited'],
  session: ['not_signed_in', 'origin_refused'],
  admin: ['not_signed_in', 'admin_only', 'origin_refused'],
};

/** Every code that a call may refuse with, once each. */
export const codesOf = (name: CallName): Code[] => [...new Set([...calls[name].refusals, ...accessCodes[calls[name].access], ...commonCodes])];

/** The names in the path of a call, in order. */
export const pathFieldsOf = (path: string): string[] => [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!);

/** The OpenAPI document. `version` is the server's. */
export function openApi(version: string): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  for (const name of callNames) {
    const { path, method } = calls[name];
    paths[path] ??= {};
    paths[path][method.toLowerCase()] = operation(name, schemas);
  }
  const problem = named(ProblemDetails, schemas);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parlance',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'A chat server. Every write in a conversation takes a client_id: repeating it gives the first decision again. Every refusal is a problem (RFC 9457) with a stable code.',
    },
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(
        Object.entries(problems).map(([code, { title, help }]) => [
          code,
          { description: `${title} ${help}`, content: { 'application/problem+json': { schema: problem, example: exampleOf(code as Code) } } },
        ]),
      ),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'The token that POST /v1/sessions answers.' },
        cookie: { type: 'apiKey', in: 'cookie', name: '__Host-parlance', description: 'Set by POST /v1/sessions; named parlance over http on loopback.' },
      },
    },
  };
}

function operation(name: CallName, schemas: Json): Json {
  const call: Call = calls[name];
  const inPath = pathFieldsOf(call.path);
  const { properties } = call.input;
  const required = (call.input as { required?: string[] }).required ?? [];
  const others = Object.keys(properties).filter((field) => !inPath.includes(field));
  const hasQuery = call.method === 'GET' || call.method === 'DELETE';
  const hasBody = call.method !== 'GET' && others.length > 0;
  const parameter = (field: string, where: 'path' | 'query'): Json => {
    const { description, ...schema } = named(properties[field]!, schemas) as { description?: string };
    return {
      name: field,
      in: where,
      required: where === 'path' || (required.includes(field) && call.method === 'GET'),
      ...(description !== undefined && { description }),
      schema,
    };
  };
  const key = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Another way to give client_id; both and different are refused.',
    schema: { type: 'string' },
  };
  return {
    operationId: name,
    summary: call.summary,
    ...(call.access === 'admin' && { description: 'Administrators only.' }),
    security: call.access === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
    parameters: [
      ...inPath.map((field) => parameter(field, 'path')),
      ...(hasQuery ? others.map((field) => parameter(field, 'query')) : []),
      ...(call.write ? [key] : []),
    ],
    ...(hasBody && {
      requestBody: {
        required: call.method !== 'DELETE' && others.some((field) => required.includes(field)),
        content: { 'application/json': { schema: bodySchema(others, properties, required, schemas) } },
      },
    }),
    responses: responses(name, call, schemas),
  };
}

const bodySchema = (fields: readonly string[], properties: Type.TProperties, required: readonly string[], schemas: Json): Json => ({
  type: 'object',
  properties: Object.fromEntries(fields.map((field) => [field, named(properties[field]!, schemas)])),
  required: fields.filter((field) => required.includes(field)),
  additionalProperties: false,
});

function responses(name: CallName, call: Call, schemas: Json): Json {
  const { status = 200 } = call;
  const answer = { schema: named(call.answer, schemas) };
  const success: Json = { description: 'Done.' };
  if (status !== 204) success.content = { [call.stream ? 'application/jsonl' : 'application/json']: answer };
  const byStatus = Map.groupBy(codesOf(name), (code) => problems[code].status);
  const refusals = [...byStatus].sort(([a], [b]) => a - b).map(([of, codes]) => [String(of), refusalResponse(codes)]);
  return { [status]: success, ...Object.fromEntries(refusals) };
}

// One response stands for all codes of a status; where there is one code, its own description does.
function refusalResponse(codes: readonly Code[]): Json {
  if (codes.length === 1) return { $ref: `#/components/responses/${codes[0]}` };
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code].title}`).join(' '),
    content: {
      'application/problem+json': {
        schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties: { code: { enum: codes } } }] },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
  };
}

const exampleOf = (code: Code): Json => ({
  type: `/docs/errors/${code}`,
  title: problems[code].title,
  status: problems[code].status,
  detail: problems[code].help,
  code,
  request_id: 'k3J9x0aB-7',
  decided: false,
});

/** A schema for a document: one with a title stands once among the document's schemas and is referred to. */
export function named(schema: Type.TSchema, schemas: Json, where = '#/components/schemas/'): Json {
  const title = (schema as { title?: string }).title;
  if (title === undefined) return within(schema, schemas, where);
  if (schemas[title] === undefined) {
    schemas[title] = {}; // Stands here first, for a schema that refers to itself.
    schemas[title] = within(schema, schemas, where);
  }
  return { $ref: `${where}${title}` };
}

function within(schema: Type.TSchema, schemas: Json, where: string): Json {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'properties' || key === 'patternProperties') {
        const fields = Object.entries(value as Type.TProperties).map(([field, type]) => [field, named(type, schemas, where)]);
        return [key, Object.fromEntries(fields)];
      }
      if (key === 'items') return [key, named(value as Type.TSchema, schemas, where)];
      if (key === 'anyOf') return [key, (value as Type.TSchema[]).map((type) => named(type, schemas, where))];
      return [key, value];
    }),
  );
}
