import { randomBytes } from 'node:crypto';
import type { Person } from './load.ts';
import { textBytes } from './options.ts';
import { adminLinkSecret, type Caller } from './server.ts';

// Many messages, quickly: what a chat has after years.

/** Stores messages by imports, into groups of ten thousand, until there are so many more. */
export async function fill(server: Caller, admin: Person, count: number): Promise<void> {
  await server.get(`/first-admin/${adminLinkSecret}`, admin.token);
  const perGroup = 10_000;
  const groups = Math.ceil(count / perGroup);
  let next = 0;
  let stored = 0;
  const began = Date.now() - 86_400_000;
  const worker = async (): Promise<void> => {
    while (next < groups) {
      const group = next++;
      await server.post('/v1/groups', { name: `fill${group}`, title: 'Fill', client_id: `fill-${group}` }, admin.token);
      for (let first = 0; first < perGroup; first += 500) {
        const items = Array.from({ length: 500 }, (_, index) => ({
          author: `bench${(group + index) % 400}`,
          client_id: uuidV7(began + group * 1000, group, first + index),
          kind: 'message',
          // Such as does not compress: words would, and nobody's are the same.
          text: randomBytes(textBytes).toString('base64').slice(0, textBytes),
          time: new Date(began + first + index).toISOString(),
        }));
        await server.post(`/v1/conversations/${encodeURIComponent(`#fill${group}`)}/import`, { items }, admin.token);
        stored += 500;
        if (stored % 100_000 === 0) process.stderr.write(`stored ${stored.toLocaleString('en')}\n`);
      }
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

const uuidV7 = (time: number, group: number, index: number): string => {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${group.toString(16).padStart(6, '0')}${index.toString(16).padStart(6, '0')}`;
};
