/**
 * Whether a text may have markup in it, so that the parser is worth loading. Errs towards yes: what turns out to be plain is drawn as it is. One look over the
 * text, without a regular expression that could be slow on a hostile one.
 */
export const mayHaveMarkup = (text: string): boolean => /[*_`~[<>\\]|https?:|mailto:|^ {0,3}(?:[-+]|\d{1,9}[.)])\s/m.test(text);
