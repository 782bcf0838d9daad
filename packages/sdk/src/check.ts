import { foldName, isName, messageIdPattern } from '@parlance/schema/ids';
import { textBytesMax, titleLengthMax } from '@parlance/schema/limits';
import { localProblem, ParlanceError } from './problem.ts';

// What goes out over the socket is checked here first: the server answers a malformed frame by closing the socket for good, which would
// be a hard answer to a message that is a little too long. Over HTTP the server's own check suffices. All throw ParlanceError `invalid_request`.

export function checkText(text: string): string {
  const bytes = new TextEncoder().encode(text).length;
  if (bytes < 1 || bytes > textBytesMax || !text.isWellFormed() || text.includes('\0')) {
    throw refusal('text', `A message is 1 to ${textBytesMax} bytes of UTF-8 without NUL.`);
  }
  return text;
}

export function checkMessageId(id: string): string {
  if (!new RegExp(messageIdPattern).test(id)) throw refusal('msg_id', 'A message id is its seq as a decimal string.');
  return id;
}

/** Returns it folded to lower case. */
export function checkName(name: string): string {
  const folded = foldName(name);
  if (!isName(folded)) throw refusal('name', 'A name is 1 to 32 of a-z 0-9 . _ -, the first a letter or digit.');
  return folded;
}

export function checkTitle(title: string): string {
  if (title.length < 1 || title.length > titleLengthMax || !title.isWellFormed() || /[\p{Cc}\u2028\u2029]/u.test(title)) {
    throw refusal('title', `A title is one line of 1 to ${titleLengthMax} characters.`);
  }
  return title;
}

export function checkCount(field: string, count: number, min: number): number {
  if (!Number.isSafeInteger(count) || count < min) throw refusal(field, `A whole number from ${min}.`);
  return count;
}

const refusal = (field: string, detail: string): ParlanceError =>
  new ParlanceError({ ...localProblem('invalid_request', 'A field is not as described.', detail), status: 400, field });
