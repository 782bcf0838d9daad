import { expect, it } from 'vitest';
import type { Person } from '../conformance/protocol-client.ts';
import { importHistory, makeAdmin } from './history.ts';
import { directId, playerOf } from './pair.ts';
import { useStage } from './use-stage.ts';

// What a long day leaves behind in the page: no more than it shows.

const stage = useStage();
const conversations = 50;
const messagesEach = 2000;
const megabyte = 1024 * 1024;

it('after 50 conversations and 100,000 messages scrolled the heap is at most 40 MB', async () => {
  const admin = await stage.person('admin');
  await makeAdmin(admin, stage.adminLink);
  const others: Person[] = [];
  // A screen as high as four, so that fewer steps lead through them all.
  const reader = await playerOf(stage, await stage.person('reader'), { viewport: { width: 1280, height: 3200 } });
  for (let index = 0; index < conversations; index++) {
    const other = await stage.person('other');
    others.push(other);
    const said = Array.from({ length: messagesEach }, (_, at) => ({ author: other.id, text: `message ${at + 1} ${'of many '.repeat(at % 5)}` }));
    await importHistory(admin, directId(other, reader.person), said);
  }
  const { page } = reader.seat;
  await page.goto('/');
  await reader.app.ready();
  for (const other of others) {
    await reader.app.conversation(other.id).click();
    await page.getByRole('heading', { level: 1, name: other.id }).waitFor();
    await reader.app.messages.first().waitFor();
    await reader.app.scrollThrough(60_000);
    await reader.app.message('message 1 ').first().waitFor();
  }
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  console.log(`heap: ${(usedSize / megabyte).toFixed(1)} MB`);
  expect(usedSize).toBeLessThanOrEqual(40 * megabyte);
}, 300_000);
