import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { callNames, calls } from '@parlance/schema/calls';
import { afterAll, expect, it } from 'vitest';
import { at, LiveClient, Person } from '../conformance/protocol-client.ts';
import { textsInFolder } from '../support/folder.ts';
import { requestOf } from '../support/request.ts';
import { raisedLimits, removeFolders, startServerProcess } from '../support/server-process.ts';
import { failCalls, straceMissing } from '../support/strace.ts';

// A little of everything with texts that stand nowhere else, and then a look for them where they must not be: in what the server says, in its answers to
// others, and in every byte of its folder.

const marker = (what: string): string => `${what}-${randomBytes(12).toString('hex')}`;

afterAll(removeFolders);

/** Does it while the disk takes nothing, where that can be had. */
async function failing(pid: number, work: () => Promise<void>): Promise<void> {
  if (straceMissing() !== undefined) return work();
  const fault = await failCalls(pid, 'pwrite64', 'ENOSPC');
  await work();
  await fault.end();
}

it('leaves no password, token, link or deleted text in the folder, and none of these, no text and no address in the log', async () => {
  const linkSecret = marker('link');
  const server = await startServerProcess({
    flags: [...raisedLimits, '--log-level=trace', '--command-timeout-ms=5000'],
    env: { PARLANCE_ADMIN_LINK_SECRET: linkSecret },
  });
  const passwords = [marker('first-password'), marker('second-password'), marker('wrong-password'), marker('admins-password')];
  const [first, second, wrong, byAdmin] = passwords as [string, string, string, string];
  const email = `${marker('mail')}@example.org`;
  const texts = { kept: marker('kept-text'), edited: marker('edited-text'), deleted: marker('deleted-text'), refused: marker('refused-text') };
  const answers: string[] = [];
  const noted = async (answered: Promise<{ status: number; body: unknown; headers: Headers }>) => {
    const done = await answered;
    if (done.status >= 400) answers.push(JSON.stringify([done.body, [...done.headers]]));
    return done;
  };

  const ada = new Person(server.url, 'ada');
  expect((await noted(ada.call('POST', '/v1/accounts', { user_id: 'ada', email, password: first }))).status).toBe(201);
  await noted(ada.call('POST', '/v1/accounts', { user_id: 'ada', email, password: wrong }));
  await noted(ada.logIn(wrong));
  await ada.logIn(first);
  const tokens = [ada.token];
  expect((await ada.get(`/first-admin/${linkSecret}`)).status).toBe(200);
  const bob = await Person.make(server.url, 'bob');
  tokens.push(bob.token);
  expect((await ada.call('POST', '/v1/admin/users', { user_id: 'cem', email, password: byAdmin })).status).toBe(201);
  const cem = new Person(server.url, 'cem');
  await cem.logIn(byAdmin);
  tokens.push(cem.token);

  const id = at(`@${bob.id}`);
  await ada.send(`@${bob.id}`, texts.kept);
  await ada.send(`@${bob.id}`, texts.deleted);
  await ada.edit(`@${bob.id}`, '2', texts.edited);
  await ada.delete(`@${bob.id}`, '2');
  await noted(bob.edit(`@ada`, '1', texts.refused));
  await noted(ada.send('@nobody-here', texts.refused));
  await noted(ada.call('POST', `${id}/messages`, `{"text":"${texts.refused}"`));
  await noted(ada.call('POST', `${id}/messages`, { text: texts.refused, [texts.refused]: 1 }));
  await noted(ada.call('POST', '/v1/accounts', { user_id: 'dee', email: texts.refused, password: wrong }));
  await noted(ada.call('POST', '/v1/accounts', { user_id: 'dee', email, password: wrong.slice(0, 3) + 'x'.repeat(2000) }));
  await noted(new Person(server.url, 'x').call('GET', '/v1/me', undefined, { authorization: `Bearer ${marker('token')}` }));
  await noted(ada.get(`/first-admin/${linkSecret}`));
  const live = await LiveClient.connect(server.url, { authorization: `Bearer ${ada.token}` });
  live.say({ type: 'hello', token: ada.token });
  await live.until(() => live.frames.some((frame) => frame.type === 'caught_up'));
  live.say({ type: 'edit_message', conversation: `@${bob.id}`, client_id: 'c1', msg_id: '2', text: texts.refused });
  answers.push(JSON.stringify(await live.answerTo('c1')));
  live.close();
  const badFrame = await LiveClient.connect(server.url);
  badFrame.say(`{"type":"hello","token":"${ada.token}","${texts.refused}":1}`);
  answers.push((await badFrame.untilClosed()).reason);
  await noted(ada.call('POST', '/classic/send', { uid1: 'ada', uid2: 'nobody-here', msg: texts.refused }));
  await noted(ada.call('POST', '/classic/login', { uid: 'ada', password: wrong }));
  await ada.call('PUT', '/v1/me/password', { current_password: first, new_password: second });
  const session = (await new Person(server.url, 'ada').call('POST', '/v1/sessions', { user_id: 'ada', password: second })).body;
  tokens.push(session.token as string);
  for (const name of callNames) {
    // Once each with nothing that fits, for what their refusals and faults say.
    const { method, path } = requestOf(name, { conversation: '@x', name: 'x', user: 'x', msg_id: '1', session_id: 'x', link: linkSecret });
    if (calls[name].method !== 'GET' && name !== 'log_out') await noted(bob.call(method, path.split('?')[0]!, { password: wrong, text: texts.refused }));
  }
  await failing(server.pid, async () => {
    // Faults are what a log says most about.
    for (const person of [ada, bob]) await noted(person.send(`@${bob.id}`, texts.refused));
    await noted(ada.call('POST', '/v1/accounts', { user_id: 'eve', email, password: wrong }));
    await noted(new Person(server.url, 'ada').logIn(second));
    await noted(bob.call('PUT', `${at('@ada')}/read`, { seq: 1 }));
  });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();

  const folderWhileRunning = textsInFolder(server.dataDir, [...passwords, ...tokens, linkSecret, texts.refused]);
  expect(folderWhileRunning).toEqual([]);
  expect((await server.stop()).code).toBe(0);

  const secrets = [...passwords, ...tokens, linkSecret];
  expect(textsInFolder(server.dataDir, [...secrets, texts.refused, texts.deleted, texts.edited])).toEqual([]);
  // What should be there is, or the look would show nothing.
  expect(textsInFolder(server.dataDir, [texts.kept])).not.toEqual([]);
  expect(textsInFolder(server.dataDir, [email])).not.toEqual([]);

  const key = readFileSync(join(server.dataDir, 'installation.key'), 'utf8').trim();
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(textsInFolder(server.dataDir, [key])).toEqual([`installation.key: ${key}`]);
  const raw = Buffer.from(key, 'hex');
  for (const name of ['parlance.db']) expect(readFileSync(join(server.dataDir, name)).includes(raw)).toBe(false);

  const said = server
    .output()
    .replace(/^\{"event":"started".*$/m, '')
    .replace('"host":"127.0.0.1"', '');
  expect(said, 'there is a log').toContain('stopping');
  for (const secret of [...secrets, ...Object.values(texts), email, key, 'a long password']) {
    expect(said.includes(secret), `${secret} in the log`).toBe(false);
    expect(metrics.includes(secret), `${secret} in the metrics`).toBe(false);
  }
  expect(said).not.toMatch(/127\.0\.0\.1(?!:)/);
  // A refusal says which field, never what stood in it: what an unknown field was called is the client's own word.
  expect(answers.length).toBeGreaterThan(10);
  for (const secret of [...secrets, email]) for (const answer of answers) expect(answer.includes(secret), `${secret} in ${answer}`).toBe(false);
});

it('answers a session with its token once, and nobody with another’s e-mail, password hash or token', async () => {
  const server = await startServerProcess({ flags: raisedLimits });
  const ada = await Person.make(server.url, 'ada');
  const bob = await Person.make(server.url, 'bob');
  const group = await ada.group(true);
  await bob.put(group, bob.id);
  await ada.send(`@${bob.id}`, 'hello');
  const scene: Record<string, unknown> = { conversation: `@${ada.id}`, name: group, user: ada.id, link: 'no-such-link-at-all' };
  for (const name of callNames.filter((one) => calls[one].method === 'GET')) {
    const { path } = requestOf(
      name,
      Object.fromEntries(Object.keys(calls[name].input.properties).flatMap((field) => (field in scene ? [[field, scene[field]]] : []))),
    );
    const text = JSON.stringify((await bob.get(path)).body);
    expect(text, name).not.toContain(`${ada.id}@example.org`);
    expect(text, name).not.toContain('argon2');
    expect(text, name).not.toContain(ada.token);
    expect(text, name).not.toContain(bob.token);
  }
  server.kill();
});
