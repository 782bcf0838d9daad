import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Which of the texts stand, as bytes, in which files of a folder: `file: text`. */
export function textsInFolder(folder: string, texts: readonly string[]): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const bytes = readFileSync(join(entry.parentPath, entry.name));
    for (const text of texts) if (bytes.includes(text)) found.push(`${entry.name}: ${text}`);
  }
  return found;
}
