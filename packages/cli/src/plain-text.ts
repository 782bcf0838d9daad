// What others wrote, made safe to print. A terminal obeys control characters: a message or a name that holds them could recolour the
// screen, set the window's title, move the cursor over what stands there, or on some terminals type into the shell.

// Whole sequences first, so that ESC [ 3 1 m leaves nothing behind; whatever is no complete sequence loses its control characters below.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point.
const sequence = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
// C0 but line feed and tab, DEL, C1; line and paragraph separators; and what turns the direction of writing, with which one text can look like another.
const control = /(?![\n\t])[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text as a terminal may see it: line breaks stay, a tab becomes a space, every other control character goes. */
export const plainText = (text: string): string => text.replaceAll('\r\n', '\n').replace(sequence, '').replace(control, '').replaceAll('\t', ' ');

/** As `plainText`, on one line: for names, titles and whatever else has no business with line breaks. */
export const plainLine = (text: string): string => plainText(text).replaceAll('\n', ' ');

/** A value as one line of JSON. Characters that JSON may hold bare and a terminal would obey are escaped; the value is the same. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replace(control, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
