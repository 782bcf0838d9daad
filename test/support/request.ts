import { type Call, type CallName, calls } from '@parlance/schema/calls';
import { pathFieldsOf } from '@parlance/schema/openapi';

export interface HttpRequest {
  method: Call['method'];
  path: string;
  body: Record<string, unknown> | undefined;
}

/** The HTTP request that makes a call with this (flat) input, as the schema says. */
export function requestOf(name: CallName, input: Readonly<Record<string, unknown>>): HttpRequest {
  const { method, path } = calls[name];
  const inPath = pathFieldsOf(path);
  const others = Object.entries(input).filter(([field]) => !inPath.includes(field));
  const filled = path.replace(/\{(\w+)\}/g, (_, field: string) => encodeURIComponent(String(input[field])));
  if (method !== 'GET') return { method, path: filled, body: others.length === 0 && method === 'DELETE' ? undefined : Object.fromEntries(others) };
  const query = new URLSearchParams(others.map(([field, value]) => [field, String(value)]));
  return { method, path: others.length === 0 ? filled : `${filled}?${query}`, body: undefined };
}
