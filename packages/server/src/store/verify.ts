import type { Row } from './rows.ts';
export async function verify(_rows: AsyncIterable<Row>, _progress: (rows: number) => void): Promise<{ rows: number; conversations: number; messages: number; findings: { rule: string; row: string; detail: string }[] }> {
  return { rows: 0, conversations: 0, messages: 0, findings: [] };
}
