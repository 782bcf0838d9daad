import { type CallName, calls, type Input } from '@parlance/schema/calls';
import * as limits from '@parlance/schema/limits';
import { type ClientFrame, clientFrames } from '@parlance/schema/live';
import type { TObject } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import Format from 'typebox/format';
import { Refusal } from '../node/refusal.ts';

// What comes in is checked here, once, against the schema, by functions compiled from it; nothing behind this point checks shapes again. What is
// wrong is told by naming the field, never by repeating its value.

const control = /\p{Cc}|\u2028|\u2029/u;
const mailAddress = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

// A lone surrogate cannot be written as UTF-8, and NUL ends strings in too many tools: neither enters the store.
const isWellFormed = (value: string): boolean => value.isWellFormed() && !value.includes('\0');

Format.Set('well-formed', isWellFormed);
Format.Set('message-text', (value) => isWellFormed(value) && Buffer.byteLength(value) <= limits.textBytesMax);
Format.Set('one-line', (value) => isWellFormed(value) && !control.test(value) && value.trim() !== '');
Format.Set('mail-address', (value) => isWellFormed(value) && mailAddress.test(value));
Format.Set('date-time', (value) => dateTime.test(value) && !Number.isNaN(Date.parse(value)));

/** In words, what a format asks beyond the schema's other keywords. */
const formatSentences: Record<string, string> = {
  'well-formed': 'must be well-formed Unicode without NUL',
  'message-text': `must be 1 to ${limits.textBytesMax} bytes of well-formed UTF-8 without NUL`,
  'one-line': 'must be one line of well-formed Unicode that is not blank',
  'mail-address': 'must be an e-mail address',
  'date-time': 'must be an RFC 3339 time such as 2026-01-31T12:00:00.000Z',
};

// Compiled at first use: most processes never see most calls, and the first answer after a start should not wait for them.
const compiled = new Map<TObject, Validator>();

function check(schema: TObject, value: unknown): Refusal | undefined {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    validator = Compile(schema) as unknown as Validator;
    compiled.set(schema, validator);
  }
  return validator.Check(value) ? undefined : explain(validator, value);
}

/** The input of a call if it is one; otherwise an `invalid_request` that names the field. */
export function validate<N extends CallName>(name: N, input: unknown): Input<N> | Refusal {
  return check(calls[name].input, input) ?? (input as Input<N>);
}

/** A frame of a client if it is one; otherwise an `invalid_request` that names the field. */
export function validateFrame(frame: unknown): ClientFrame | Refusal {
  const type = typeof frame === 'object' && frame !== null ? (frame as { type?: unknown }).type : undefined;
  const schema = typeof type === 'string' && Object.hasOwn(clientFrames, type) ? clientFrames[type] : undefined;
  if (schema === undefined) return invalid('type', 'must name a frame that clients send');
  return check(schema, frame) ?? (frame as ClientFrame);
}

/** An `invalid_request` about one field, in the words of this file. */
export const invalid = (field: string, problem: string): Refusal =>
  new Refusal('invalid_request', { field, detail: `The field "${field}" ${problem}. The description of every call is at /docs.` });

function explain(validator: Validator, value: unknown): Refusal {
  const errors = validator.Errors(value).filter((error) => error.keyword !== 'boolean');
  const error = errors.find(({ keyword }) => keyword === 'additionalProperties') ?? errors[0];
  if (error === undefined) return new Refusal('invalid_request');
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  const within = (name: string | undefined): string => [path, name?.slice(0, 64).toWellFormed()].filter(Boolean).join('.');
  switch (error.keyword) {
    case 'additionalProperties':
      return invalid(within(error.params.additionalProperties[0]), 'is unknown');
    case 'required':
      return invalid(within(error.params.requiredProperties[0]), 'is missing');
    case 'format':
      return invalid(path, formatSentences[error.params.format] ?? 'is not as described');
    case 'pattern':
      return invalid(path, 'is not as described');
    case 'const':
    case 'anyOf':
      return invalid(path, 'must be one of the values described');
    default:
      return path === '' ? new Refusal('invalid_request', { detail: 'The input must be one JSON object.' }) : invalid(path, error.message);
  }
}
