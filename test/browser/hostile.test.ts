import { expect, it } from 'vitest';
import { Random, seedFrom } from '../support/random.ts';
import { importHistory, makeAdmin } from './history.ts';
import { fuzzedText, hostileTexts } from './hostile.ts';
import { directId, pair, playerOf } from './pair.ts';
import { useStage } from './use-stage.ts';

// Texts that want to be more than text. A dialog, a report of the policy, a request to elsewhere or an uncaught error fails the test when its people leave.

const stage = useStage();

it('no hostile text becomes anything but text, live, in history and in names', async () => {
  const { ann, bob } = await pair(stage);
  for (const text of hostileTexts) expect((await ann.person.send(`@${bob.person.id}`, text)).status, text.slice(0, 60)).toBe(201);
  await ann.person.call('PATCH', '/v1/me', { display_name: '<img src=x onerror=alert(1)>' });
  await ann.person.send(`@${bob.person.id}`, 'the last of them');
  await bob.app.message('the last of them').waitFor();
  await bob.seat.page.reload();
  await bob.app.messages.first().waitFor();
  await bob.app.scrollThrough();
  expect(await bob.seat.page.locator('main script, main iframe, main object, main img[src^="http"], main style, main link').count()).toBe(0);
});

it('a link of a message leads to the web only, in a tab of its own that knows nothing of this one', async () => {
  const { ann, bob } = await pair(stage);
  for (const text of hostileTexts.filter((one) => one.includes('click') || one.includes('http'))) await ann.person.send(`@${bob.person.id}`, text);
  await ann.person.send(`@${bob.person.id}`, 'look: [here](https://example.org/a) and https://example.org/b');
  await bob.app.message('look: here').waitFor();
  const links = await bob.app.messages
    .getByRole('link')
    .evaluateAll((all) =>
      all.map((one) => ({ href: one.getAttribute('href') ?? '', rel: one.getAttribute('rel') ?? '', target: one.getAttribute('target') ?? '' })),
    );
  const foreign = links.filter(({ href }) => !href.startsWith('/c/'));
  expect(foreign.length).toBeGreaterThanOrEqual(2);
  for (const { href, rel, target } of foreign) {
    expect(href).toMatch(/^(https?:\/\/|mailto:)/);
    expect(rel).toContain('noopener');
    expect(rel).toContain('noreferrer');
    expect(target).toBe('_blank');
  }
});

it('ten thousand fuzzed messages are all shown, and break nothing', async () => {
  const seed = seedFrom('FUZZ_SEED');
  console.log(`FUZZ_SEED=${seed}`);
  const random = new Random(seed);
  const admin = await stage.person('admin');
  await makeAdmin(admin, stage.adminLink);
  // A screen as high as four, so that fewer steps lead through them all.
  const reader = await playerOf(stage, await stage.person('reader'), { viewport: { width: 1280, height: 3200 } });
  await importHistory(
    admin,
    directId(admin, reader.person),
    Array.from({ length: 10_000 }, () => ({ author: admin.id, text: fuzzedText(random) })),
  );
  await reader.app.open(`@${admin.id}`);
  await reader.app.messages.first().waitFor();
  await reader.app.scrollThrough(120_000);
  await reader.app.composer.fill('still alive');
  await reader.app.composer.press('Enter');
  await expect
    .poll(async () => (await admin.get(`/v1/conversations/${encodeURIComponent(`@${reader.person.id}`)}`)).body.last_message.text)
    .toBe('still alive');
}, 180_000);
