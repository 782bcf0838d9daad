/**
 * Stands for the package `entities` in the build: the parser asks it for the character that `&name;` means, for which it carries a table of 12 KB. People
 * who type into a chat mean the characters they type, so here every one of them stays.
 */
export const decodeHTMLStrict = (text: string): string => text;
