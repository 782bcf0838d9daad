import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Person } from './conformance/protocol-client.ts';
import { type Exit, notRun, removeFolders, type ServerProcessOptions, spawnServer, startServerProcess, temporaryFolder } from './support/server-process.ts';
import { failCalls, straceMissing, syncCalls } from './support/strace.ts';

// The server as a process: how it starts, what it refuses to start with, and how it ends.

afterAll(removeFolders);

/** Runs a server that is to end by itself; resolves with how, and all it said. */
async function refusedStart(options: ServerProcessOptions): Promise<{ code: Exit['code']; output: string }> {
  const server = spawnServer({ dataDir: join(await temporaryFolder(), 'data'), ...options });
  await expect(server.started, 'it started').rejects.toThrow();
  return { code: (await server.exited).code, output: server.output() };
}

const oneSentence = /^[^\n]+[.?]\n$/;

it.each<[what: string, options: ServerProcessOptions, says: RegExp]>([
  ['a flag that is none', { flags: ['--colour=blue'] }, /"--colour" is not a setting/],
  ['a flag with a letter wrong', { flags: ['--prot=1'] }, /did you mean --port/],
  ['a variable that is no setting', { env: { PARLANCE_COLOUR: 'blue' } }, /PARLANCE_COLOUR is not a setting/],
  ['a value that is not possible', { flags: ['--port=70000'] }, /--port must be a whole number from 0 to 65535/],
  ['a host beyond loopback without TLS', { flags: ['--host=0.0.0.0'] }, /in the clear.*PARLANCE_TLS_CERT/],
  ['a certificate without its key', { flags: ['--tls-cert=/nowhere/cert.pem'] }, /TLS needs both files/],
])('does not start with %s: one sentence, exit code 2', async (_what, options, says) => {
  const { code, output } = await refusedStart(options);
  expect([code, output]).toEqual([2, expect.stringMatching(oneSentence)]);
  expect(output).toMatch(says);
});

it('does not start on a port that is taken: one sentence, exit code 1', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  const { code, output } = await refusedStart({ flags: [`--port=${port}`] });
  expect([code, output]).toEqual([1, expect.stringMatching(oneSentence)]);
  expect(output).toContain(`Port ${port} is taken`);
  other.close();
});

it('does not start with TLS files that are not there: one sentence', async () => {
  const { code, output } = await refusedStart({ flags: ['--tls-cert=/nowhere/cert.pem', '--tls-key=/nowhere/key.pem'] });
  expect(code).not.toBe(0);
  expect(output).toMatch(oneSentence);
  expect(output).toContain('TLS files cannot be read');
});

it('does not start on the folder of a running server, whose folder it names and which goes on', async () => {
  const server = await startServerProcess();
  const { code, output } = await refusedStart({ dataDir: server.dataDir });
  expect([code, output]).toEqual([1, expect.stringMatching(oneSentence)]);
  expect(output).toContain(server.dataDir);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  server.kill();
});

it('lets nobody but its owner at the folder and its files', async () => {
  const server = await startServerProcess();
  await Person.make(server.url);
  expect(statSync(server.dataDir).mode & 0o777).toBe(0o700);
  const files = readdirSync(server.dataDir);
  expect(files.length).toBeGreaterThan(2);
  for (const name of files) expect([name, statSync(join(server.dataDir, name)).mode & 0o777]).toEqual([name, 0o600]);
  server.kill();
});

it('prints where it is and a link that makes one signed-in account the administrator, once', async () => {
  const server = await startServerProcess();
  const link = new URL(server.adminLink!);
  expect(link.origin).toBe(server.url);
  const [ada, bob] = await Promise.all([Person.make(server.url), Person.make(server.url)]);
  const nobody = await new Person(server.url, 'nobody').get(link.pathname);
  expect([nobody.status, nobody.body.code]).toEqual([401, 'not_signed_in']);
  expect((await ada.get(`${link.pathname}x`)).body.code).toBe('link_invalid');
  expect((await ada.get(link.pathname)).body).toMatchObject({ user_id: ada.id, admin: true });
  const again = await bob.get(link.pathname);
  expect([again.status, again.body.code]).toEqual([409, 'admin_exists']);
  expect((await bob.get('/v1/me')).body.admin).toBe(false);
  expect((await server.stop()).code).toBe(0);
  const second = await startServerProcess({ dataDir: server.dataDir });
  expect(second.adminLink).toBeUndefined();
  second.kill();
});

it('offers a new link at each start without an administrator, and only the newest works', async () => {
  const first = await startServerProcess();
  await first.stop();
  const second = await startServerProcess({ dataDir: first.dataDir });
  const ada = await Person.make(second.url);
  expect((await ada.get(new URL(first.adminLink!).pathname)).body.code).toBe('link_invalid');
  expect((await ada.get(new URL(second.adminLink!).pathname)).body.admin).toBe(true);
  second.kill();
});

it('on SIGTERM says so, serves on while it drains, answers what is in flight, tells sockets to reconnect, and exits 0', async () => {
  const server = await startServerProcess({ flags: ['--drain-ms=1500'] });
  const ada = await Person.make(server.url);
  const live = await ada.live();
  const exited = server.stop();
  await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status, { interval: 20 }).toBe(503);
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect((await ada.send(`@${ada.id}`, 'still there')).status).toBe(201);
  // Keeps writing to the end: whatever is sent is answered or refused undecided, until the socket is closed.
  let accepted = 1;
  for (let count = 0; live.closed === undefined; count++) {
    const clientId = `c${count}`;
    live.say({ type: 'send_message', conversation: `d:${ada.id}:${ada.id}`, client_id: clientId, text: clientId });
    const answer = await Promise.race([live.answerTo(clientId).catch(() => undefined), live.untilClosed().then(() => undefined)]);
    if (answer?.type === 'event') accepted++;
    else if (answer !== undefined) expect(answer.problem).toMatchObject({ code: 'draining', decided: false });
  }
  expect(live.closed.code).toBe(4000);
  const ended = performance.now();
  expect(await exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - ended).toBeLessThan(10_000);

  const again = await startServerProcess({ dataDir: server.dataDir });
  Object.assign(ada, { url: again.url });
  expect((await ada.get(`/v1/conversations/@${ada.id}`)).body.seq).toBeGreaterThanOrEqual(accepted);
  again.kill();
});

it('answers the requests that were under way when it was told to stop', async () => {
  const server = await startServerProcess();
  const ada = await Person.make(server.url);
  const writes = Array.from({ length: 200 }, (_, index) => ada.send(`@${ada.id}`, `text ${index}`));
  await Promise.race(writes);
  const exited = server.stop();
  const answers = await Promise.allSettled(writes);
  expect(await exited).toEqual({ code: 0, signal: null });
  const statuses = answers.map((answer) => (answer.status === 'fulfilled' ? answer.value.status : 0));
  // 0: a connection that the server had not taken yet when it stopped listening.
  for (const status of statuses) expect([0, 201, 503]).toContain(status);
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(0);
});

it('ends at once on a second signal', async () => {
  const server = await startServerProcess({ flags: ['--drain-ms=60000'] });
  server.kill('SIGTERM');
  await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status, { interval: 20 }).toBe(503);
  server.kill('SIGTERM');
  expect(await server.exited).toEqual({ code: 1, signal: null });
});

it('ends within its time though the disk takes nothing any more', async (context) => {
  const missing = straceMissing();
  if (missing !== undefined) notRun(context, missing);
  const server = await startServerProcess({ flags: ['--command-timeout-ms=2000'] });
  const ada = await Person.make(server.url);
  const fault = await failCalls(server.pid, syncCalls, 'EIO');
  const write = ada.send(`@${ada.id}`, 'never stored');
  const began = performance.now();
  expect((await write).status).toBe(503);
  expect(await server.stop()).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(12_000);
  await fault.end();
}, 40_000);

it('serves https and wss with a certificate, and marks its cookie secure', async (context) => {
  const folder = await temporaryFolder();
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  } catch {
    notRun(context, 'a certificate cannot be made: sudo apt-get install openssl');
  }
  const server = await startServerProcess({ flags: [`--tls-cert=${cert}`, `--tls-key=${key}`] });
  expect(server.url).toMatch(/^https:/);
  const ca = readFileSync(cert);
  const call = (method: string, path: string, body: unknown): Promise<{ status: number; cookie: string; body: Record<string, string> }> =>
    new Promise((resolve, reject) => {
      const outgoing = request(`${server.url}${path}`, { method, ca, headers: { 'content-type': 'application/json' } }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode!, cookie: response.headers['set-cookie']?.[0] ?? '', body: JSON.parse(text) as Record<string, string> }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  const account = { user_id: 'ada', email: 'ada@example.org', password: 'a long password' };
  expect((await call('POST', '/v1/accounts', account)).status).toBe(201);
  const session = await call('POST', '/v1/sessions', { user_id: 'ada', password: account.password });
  expect(session.cookie).toMatch(/^__Host-parlance=.*; HttpOnly; SameSite=Lax; Secure$/);
  const socket = new WebSocket(`${server.url.replace('https', 'wss')}/v1/live`, { ca });
  const welcome = await new Promise<string>((resolve, reject) => {
    socket.once('open', () => socket.send(JSON.stringify({ type: 'hello', token: session.body.token })));
    socket.once('message', (data) => resolve(String(data)));
    socket.once('error', reject);
  });
  expect(JSON.parse(welcome)).toMatchObject({ type: 'welcome', user_id: 'ada' });
  socket.terminate();
  server.kill();
});
