import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { violations } from './axe.ts';
import { playerOf } from './pair.ts';
import { useStage } from './use-stage.ts';

// Very narrow screens, and colours that are not the app's.

const stage = useStage();

/** How far the page, or anything in it that does not scroll by itself, reaches beyond the screen, px. */
const overhang = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const scrolls = (element: Element): boolean => element.closest('pre, [role=log]') !== null;
    const seen = [...document.querySelectorAll('#app *')].filter((one) => !scrolls(one) && one.checkVisibility() && getComputedStyle(one).clipPath === 'none');
    const edges = seen.flatMap((one) => {
      // What its own surroundings cut off is not seen.
      for (let around = one.parentElement; around !== null; around = around.parentElement) if (getComputedStyle(around).overflowX !== 'visible') return [];
      const { left, right } = one.getBoundingClientRect();
      return [right - innerWidth, -left];
    });
    const inner = [...document.querySelectorAll('nav, main, main section, dialog, [data-scroller]')].map((one) => one.scrollWidth - one.clientWidth);
    return Math.max(document.documentElement.scrollWidth - innerWidth, ...edges, ...inner);
  });

it.each(['en-GB', 'de', 'ar'])('nothing sticks out of a screen of 320 px, in %s', async (locale) => {
  const small = { viewport: { width: 320, height: 568 }, locale };
  const visitor = await stage.seat(small);
  for (const path of ['/', '/register']) {
    await visitor.page.goto(path);
    await visitor.page.locator('input[type=password]').waitFor();
    expect(await overhang(visitor.page), `signed out, ${path}`).toBeLessThanOrEqual(0);
  }

  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const group = `narrow-${ann.id.slice(4)}`;
  await ann.call('POST', '/v1/groups', { name: group, title: 'A title that is much longer than any screen of a small telephone can be wide' });
  await ann.put(group, bob.id);
  await ann.send(`#${group}`, `${'Donaudampfschifffahrtsgesellschaftskapitän'.repeat(4)}\n\n\`\`\`\n${'code '.repeat(60)}\n\`\`\`\n\n> ${'x'.repeat(300)}`);
  await bob.send(`#${group}`, `https://example.org/${'path/'.repeat(60)}`);
  const { app, seat } = await playerOf(stage, ann, small);
  const { page } = seat;
  for (const path of ['/', '/people', '/groups', '/settings']) {
    await page.goto(path);
    await page.locator('nav, main').filter({ visible: true }).first().waitFor();
    await page.waitForLoadState('networkidle');
    expect(await overhang(page), path).toBeLessThanOrEqual(0);
  }
  await app.open(`#${group}`);
  await app.message('https://example.org').waitFor();
  expect(await overhang(page), 'a conversation').toBeLessThanOrEqual(0);
  await app.messages.last().hover();
  await app.messages.last().getByRole('toolbar').waitFor();
  expect(await overhang(page), 'with the tools of a message').toBeLessThanOrEqual(0);
  for (const [keys, what] of [
    ['Control+k', 'the switcher'],
    ['Control+/', 'the keys'],
  ] as const) {
    await page.keyboard.press(keys);
    await app.dialog.waitFor();
    expect(await overhang(page), what).toBeLessThanOrEqual(0);
    await page.keyboard.press('Escape');
    await app.dialog.waitFor({ state: 'hidden' });
  }
  await page.keyboard.press('Alt+m');
  await page.getByRole('combobox').waitFor();
  expect(await overhang(page), 'the members').toBeLessThanOrEqual(0);
});

it('in forced colours bubbles have edges, what is chosen is marked, and the focus is seen', async () => {
  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  await bob.send(`@${ann.id}`, 'seen without colours');
  const { app, seat } = await playerOf(stage, ann, { forcedColors: 'active' });
  await app.open(`@${bob.id}`);
  await app.message('seen without colours').waitFor();
  const { page } = seat;
  const bubble = app.message('seen without colours').locator('[data-text]').locator('..');
  expect(await bubble.evaluate((one) => getComputedStyle(one).borderTopStyle)).toBe('solid');
  const current = page.getByRole('navigation').locator('a[href^="/c/"][aria-current=page]');
  expect(await current.evaluate((one) => getComputedStyle(one).outlineStyle)).toBe('solid');
  // From the place where one writes, which is the last, Tab leads out of the page, to the browser's own, and then to the page's first.
  await page.keyboard.press('Tab');
  for (let presses = 0; presses < 8; presses++) {
    await page.keyboard.press('Tab');
    const isMarked = await page.evaluate(() => {
      const focused = document.activeElement!;
      // A field may leave it to the frame around it.
      return [focused, focused.parentElement!].some((one) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
      });
    });
    expect(isMarked, await page.evaluate(() => document.activeElement!.outerHTML.slice(0, 120))).toBe(true);
  }
  expect(await violations(page)).toEqual([]);
});
