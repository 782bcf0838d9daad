import type { MessageView } from '@parlance/sdk';
import type { Locator, Page } from 'playwright-core';
import { password } from './stage.ts';

// The app as somebody finds it who cannot see its source: by the roles and names that a screen reader says, in English. The one file of the tests to change when
// the app calls something otherwise. What tests of every language look for (the list, the composer, the offline bar) is found without a name.

export interface NewAccount {
  id: string;
  email: string;
  password: string;
}

export class App {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  // Getting in and out

  async logIn(id: string, with_ = password): Promise<void> {
    await this.page.getByLabel('User name').fill(id);
    await this.page.getByLabel('Password', { exact: true }).fill(with_);
    await this.button('Log in').click();
  }

  async register(account: NewAccount): Promise<void> {
    await this.page.getByRole('link', { name: 'Register' }).click();
    await this.page.getByLabel('User name').fill(account.id);
    await this.page.getByLabel('E-mail').fill(account.email);
    await this.page.getByLabel('Password', { exact: true }).fill(account.password);
    await this.button('Register').click();
  }

  async logOut(): Promise<void> {
    await this.page
      .getByRole('button', { name: 'Log out' })
      .or(this.page.getByRole('menuitem', { name: 'Log out' }))
      .first()
      .click();
    await this.page.getByLabel('Password', { exact: true }).waitFor();
  }

  /** The list of conversations is there. */
  async ready(): Promise<void> {
    await this.page.getByRole('navigation').getByRole('searchbox').waitFor();
  }

  /** The thin bar that says since when there is no connection. */
  get offlineBar(): Locator {
    return this.page.locator('[data-offline]');
  }

  // Conversations

  /** In the list; by what it is called there. */
  conversation(title: string): Locator {
    return this.page.getByRole('navigation').getByRole('link', { name: title });
  }

  async open(reference: string): Promise<void> {
    await this.page.goto(`/c/${encodeURIComponent(reference)}`);
    await this.composer.waitFor();
    // What is sent before the messages are there waits in its field.
    await this.page.locator('main [aria-busy=true]').waitFor({ state: 'hidden' });
  }

  /** The dialog that is open. */
  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  // Groups

  async createGroup({ name, title }: { name: string; title: string }): Promise<void> {
    await this.button('New group').click();
    await this.dialog.getByLabel('Name', { exact: true }).fill(name);
    await this.dialog.getByLabel('Title').fill(title);
    await this.dialog.getByRole('button', { name: 'Create' }).click();
  }

  /** The members of the group, beside it. */
  get panel(): Locator {
    return this.page.getByRole('region', { name: 'Members' });
  }

  async openMembers(): Promise<void> {
    await this.page
      .getByRole('main')
      .getByRole('button', { name: /members?$/i })
      .click();
    await this.panel.waitFor();
  }

  /** In the list of members, which is open. */
  async addMember(id: string): Promise<void> {
    const field = this.panel.getByRole('combobox', { name: 'Add' });
    await field.fill(id);
    await this.panel.getByRole('option', { name: id }).waitFor();
    await field.press('Enter');
    await this.button(`More for ${id}`).waitFor();
  }

  async changeMember(id: string, action: string): Promise<void> {
    await this.button(`More for ${id}`).click();
    await this.page.getByRole('menuitem', { name: action }).click();
  }

  get composer(): Locator {
    return this.page.locator('textarea[data-composer]');
  }

  /** Goes somewhere by a few letters of its name. */
  async switchTo(letters: string, name: string): Promise<void> {
    await this.page.keyboard.press('Control+k');
    const field = this.dialog.getByRole('combobox');
    await field.fill(letters);
    await this.dialog.getByRole('option', { name }).first().waitFor();
    await field.press('Enter');
    await this.dialog.waitFor({ state: 'hidden' });
  }

  async openSettings(): Promise<void> {
    await this.page.goto('/settings');
    await this.page.getByRole('heading', { level: 1 }).waitFor();
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  // Messages

  get messages(): Locator {
    return this.page.getByRole('article');
  }

  /** The messages with this text somewhere in them. */
  message(text: string): Locator {
    return this.messages.filter({ hasText: text });
  }

  /** Resolves when the message with this text is shown in this state. */
  async until(state: MessageView['state'], text: string): Promise<void> {
    await this.message(text)
      .and(this.page.locator(`[data-state=${state}]`))
      .waitFor();
  }

  /** What the messages in the page say, without who and when. */
  texts(): Promise<string[]> {
    return this.messages.locator('[data-text]').allInnerTexts();
  }

  /** Chooses an action of a message. */
  async act(text: string, action: string): Promise<void> {
    await this.message(text).hover();
    await this.message(text).getByRole('button', { name: action }).click();
  }

  /** Where a message is changed in place. */
  get editor(): Locator {
    return this.messages.getByRole('textbox');
  }

  /** What the messages scroll in. */
  get scroller(): Locator {
    return this.page.locator('[data-scroller]');
  }

  /** Whether the middle of something is on the screen and nothing is on top of it. */
  isInView(locator: Locator): Promise<boolean> {
    return locator.first().evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const seen = document.elementFromPoint(left + width / 2, top + height / 2);
      return seen !== null && (element.contains(seen) || seen.contains(element));
    });
  }

  /** Scrolls a screen at a time from where it is to the oldest message. */
  async scrollThrough(timeoutMs = 30_000): Promise<void> {
    const isDone = await this.scroller.evaluate(async (element, timeout) => {
      const until = performance.now() + timeout;
      let still = 0;
      while (still < 30 && performance.now() < until) {
        const before = `${element.scrollTop} ${element.scrollHeight}`;
        element.scrollTop = Math.max(0, element.scrollTop - element.clientHeight * 0.9);
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        still = before === `${element.scrollTop} ${element.scrollHeight}` ? still + 1 : 0;
      }
      return still >= 30;
    }, timeoutMs);
    if (!isDone) throw new Error(`there was no end of older messages in ${timeoutMs} ms`);
  }

  /** Scrolls up until older messages come in, and answers by how many pixels the first visible one then moved that it should not have. */
  moveOnPrepend(): Promise<number> {
    return this.scroller.evaluate(async (element) => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      const height = element.scrollHeight;
      element.scrollTop = 1;
      await frame();
      const { top } = element.getBoundingClientRect();
      const row = [...element.querySelectorAll('article')].find((one) => one.getBoundingClientRect().bottom > top)!;
      const before = row.getBoundingClientRect().top;
      let moved = 0;
      for (let left = 300; left > 0 && element.scrollHeight === height; left--) await frame();
      if (element.scrollHeight === height) throw new Error('nothing older came');
      for (let left = 20; left > 0; left--) {
        await frame();
        if (row.isConnected) moved = Math.max(moved, Math.abs(row.getBoundingClientRect().top - before));
      }
      return row.isConnected ? moved : Number.POSITIVE_INFINITY;
    });
  }
}
