import { textBytesMax } from '@parlance/schema/limits';

const encoder = new TextEncoder();

/** How many bytes of UTF-8 a message may still take; below 0 when it is too long. Most texts are far from it, and are not counted. */
export const bytesLeft = (text: string): number => textBytesMax - (text.length * 3 < textBytesMax - nearEnd ? text.length : encoder.encode(text).length);

/** From so many left on, one is told. */
export const nearEnd = 500;
