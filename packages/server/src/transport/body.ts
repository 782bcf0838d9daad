import { Refusal } from '../node/refusal.ts';

/** A body that was refused while it was read, thrown through the HTTP framework to the one point that answers. */
export class BadBody extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

// Fatal: bytes that are no UTF-8 are refused, not replaced, so that what is stored is what was sent.
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The JSON of a body; undefined for an empty one. Throws BadBody. */
export function parseBody(contentType: string | undefined, bytes: Buffer): unknown {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1];
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw new BadBody(new Refusal('unsupported_media_type'));
  if (bytes.length === 0) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    // Neither the bytes nor the parser's message, which quotes them, belong into an answer or a log.
    throw new BadBody(new Refusal('malformed_json'));
  }
}
