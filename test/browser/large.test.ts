import { expect, it } from 'vitest';
import { at } from '../conformance/protocol-client.ts';
import { importHistory, makeAdmin } from './history.ts';
import { directId, playerOf } from './pair.ts';
import { useStage } from './use-stage.ts';

// A conversation of a hundred thousand messages is as quick as one of ten.

const stage = useStage();
const messages = 100_000;
const read = 60_000;

it('a conversation of 100,000 messages opens at the first unread, with few rows in the page, and what is read stays where it is', async () => {
  const admin = await stage.person('admin');
  await makeAdmin(admin, stage.adminLink);
  const reader = await playerOf(stage, await stage.person('reader'));
  const conversation = directId(admin, reader.person);
  const history = Array.from({ length: messages }, (_, index) => ({ author: admin.id, text: `message ${index + 1}${' and some more'.repeat(index % 7)}` }));
  await importHistory(admin, conversation, history);
  await reader.person.call('PUT', `${at(conversation)}/read`, { seq: read });

  const { page } = reader.seat;
  await page.goto('/');
  await reader.app.ready();
  const session = await page.context().newCDPSession(page);
  // The processor's time of the page's main thread, so that others' work on this machine does not count as the app's.
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const scriptMs = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return (metrics.find(({ name }) => name === 'ScriptDuration')?.value ?? Number.NaN) * 1000;
  };
  const before = await scriptMs();
  await reader.app.conversation(admin.id).click();
  const firstUnread = reader.app.message(`message ${read + 1}`);
  await firstUnread.waitFor();
  const script = (await scriptMs()) - before;
  expect(await reader.app.isInView(firstUnread)).toBe(true);
  expect(await reader.app.messages.count()).toBeLessThanOrEqual(60);
  console.log(`open: ${script.toFixed(1)} ms of script, ${await reader.app.messages.count()} rows`);
  expect(script).toBeLessThanOrEqual(100);

  // Older ones come in above; the row that is looked at does not move.
  for (let round = 0; round < 5; round++) expect(await reader.app.moveOnPrepend()).toBeLessThanOrEqual(0.5);
  expect(await reader.app.messages.count()).toBeLessThanOrEqual(60);
}, 90_000);
