import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Haproxy, type HaproxyOptions, type NodeView, startHaproxy } from '../../deploy/local/haproxy.ts';
import { missingPackages } from '../../deploy/local/jars.ts';
import { waitUntil } from '../../deploy/local/members.ts';
import { notRun } from '../support/server-process.ts';
import { type StandInNode, startStandInNode } from './stand-in-node.ts';

// The balancer as it is deployed, deploy/haproxy.cfg in a real HAProxy, in front of servers that stand in for nodes.

let nodes: StandInNode[] = [];
let proxy: Haproxy;
const sockets: WebSocket[] = [];

beforeEach(async (context) => {
  if (missingPackages(['haproxy']).length > 0) notRun(context, 'HAProxy is missing: sudo apt-get install haproxy');
  nodes = await Promise.all(['one', 'two', 'three'].map(startStandInNode));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await proxy?.stop();
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

/** Starts HAProxy before the nodes and resolves when it holds all of them, and their agents, for good. */
async function start(options: Partial<HaproxyOptions> = {}): Promise<void> {
  proxy = await startHaproxy({ nodes, ...options });
  await until((view) => view.status === 'UP' && view.weight === 100);
}

/** Resolves when HAProxy sees every node, or every one named, so. */
const until = (isSo: (view: NodeView) => boolean, names: readonly string[] = ['node1', 'node2', 'node3']): Promise<void> =>
  waitUntil(
    'what HAProxy sees',
    async () => {
      const views = (await proxy.nodes()).filter(({ name }) => names.includes(name));
      return views.length > 0 && views.every(isSo) ? undefined : JSON.stringify(views);
    },
    { timeoutMs: 15_000 },
  );

/** Makes so many requests and counts who answered. */
async function count(requests: number, url = proxy.url): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let left = requests; left > 0; left--) {
    const answer = await fetch(`${url}/v1/users`);
    const name = answer.ok ? await answer.text() : String(answer.status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Opens a live socket; resolves with it and the name of its node. */
async function live(): Promise<{ socket: WebSocket; name: string }> {
  const socket = new WebSocket(`${proxy.url.replace('http', 'ws')}/v1/live`);
  sockets.push(socket);
  return { socket, name: await nextText(socket) };
}

const nextText = (socket: WebSocket): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(String(data)));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the socket was closed')));
  });

it('gives requests to the nodes in turn', async () => {
  await start();
  expect(await count(30)).toEqual({ one: 10, two: 10, three: 10 });
});

it('gives a live socket to the node that holds the fewest', async () => {
  await start();
  const held = await Promise.all(Array.from({ length: 6 }, live));
  expect(nodes.map((node) => node.sockets)).toEqual([2, 2, 2]);
  for (const { socket, name } of held.filter((one) => one.name === 'two')) {
    expect(name).toBe('two');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.close();
    await closed;
  }
  await until(({ open }) => open === 0, ['node2']);
  const names = [(await live()).name, (await live()).name];
  expect(names).toEqual(['two', 'two']);
});

it('gives nothing to a node that is not ready, and everything again when it is', async () => {
  await start();
  nodes[1]!.isReady = false;
  await until(({ status }) => status === 'DOWN', ['node2']);
  expect(await count(20)).toEqual({ one: 10, three: 10 });
  nodes[1]!.isReady = true;
  await until(({ status }) => status === 'UP', ['node2']);
  expect((await count(30)).two).toBe(10);
});

it('asks another node at once when one is gone, before its health is known', async () => {
  await start();
  await nodes[2]!.close();
  expect(await count(30)).toEqual({ one: expect.any(Number), two: expect.any(Number) });
});

it('gives a busy node less, as its agent says', async () => {
  await start();
  nodes[0]!.agent = 'ready up 25%';
  await until(({ weight }) => weight === 25, ['node1']);
  const { one = 0, two = 0, three = 0 } = await count(90);
  expect(one).toBe(10);
  expect([two, three]).toEqual([40, 40]);
});

it('gives a draining node no more requests, and leaves it its sockets', async () => {
  await start();
  const held = await Promise.all(Array.from({ length: 3 }, live));
  const kept = held.find(({ name }) => name === 'one')!.socket;
  nodes[0]!.agent = 'drain';
  await until(({ status }) => status.startsWith('DRAIN'), ['node1']);
  expect(await count(20)).toEqual({ two: 10, three: 10 });
  expect([(await live()).name, (await live()).name].sort()).toEqual(['three', 'two']);
  kept.send('still there?');
  expect(await nextText(kept)).toBe('one heard still there?');

  // Unready as well, which is how a node ends: its sockets are its own to close.
  nodes[0]!.isReady = false;
  await until(({ status }) => status.startsWith('DOWN'), ['node1']);
  kept.send('and now?');
  expect(await nextText(kept)).toBe('one heard and now?');

  nodes[0]!.isReady = true;
  nodes[0]!.agent = 'ready up 100%';
  await until(({ status }) => status === 'UP', ['node1']);
  expect((await count(30)).one).toBe(10);
});

it('says who asks, whatever a client claims', async () => {
  await start();
  await fetch(`${proxy.url}/v1/users`, { headers: { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9', 'x-real-ip': '203.0.113.9' } });
  const [request] = nodes.flatMap((node) => node.requests);
  expect(request?.headers['x-forwarded-for']).toBe('127.0.0.1');
  expect(request?.headers).not.toHaveProperty('forwarded');
  expect(request?.headers).not.toHaveProperty('x-real-ip');
});

it('repeats a read that a node did not answer, and never a write', async () => {
  await start();
  for (const node of nodes) node.failNext();
  const write = await fetch(`${proxy.url}/v1/messages`, { method: 'POST', body: '{}' });
  expect(write.status).toBe(502);
  expect(write.headers.get('retry-after')).toBe('1');
  expect(await write.json()).toMatchObject({ code: 'unavailable', decided: false });
  expect(nodes.flatMap((node) => node.requests).filter(({ method }) => method === 'POST')).toHaveLength(1);

  // The two that have not failed yet fail the read, and the third try finds the one that has.
  const read = await fetch(`${proxy.url}/v1/users`);
  expect(read.status).toBe(200);
});

it('answers in the form of the nodes when none is ready', async () => {
  await start();
  for (const node of nodes) node.isReady = false;
  await until(({ status }) => status === 'DOWN');
  const answer = await fetch(`${proxy.url}/v1/users`);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await answer.json()).toMatchObject({ status: 503, code: 'unavailable', request_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
});

it('answers for a node that hangs', async () => {
  await start({ variables: { PARLANCE_ANSWER_TIMEOUT: '300ms' } });
  for (const node of nodes) node.isHanging = true;
  const answer = await fetch(`${proxy.url}/v1/messages`, { method: 'POST', body: '{}' });
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ code: 'unavailable', retry_after: 1 });
  expect(nodes.flatMap((node) => node.requests)).toHaveLength(1);
});

it('cuts a request that does not arrive, and no node sees it', async () => {
  await start({ variables: { PARLANCE_HEADERS_TIMEOUT: '300ms' } });
  const head = 'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n';
  const [halfHead, halfBody] = [await sendAndWait(head), await sendAndWait(`${head}\r\n{"half":`)];
  expect(halfHead).toMatch(/^HTTP\/1\.1 408 /);
  expect(halfBody).toMatch(/^HTTP\/1\.1 408 /);
  // Without a whole head HAProxy answers in a form of its own.
  expect(halfBody).toContain('"code":"request_timeout"');
  expect(nodes.flatMap((node) => node.requests)).toEqual([]);
});

/** Writes these bytes, keeps the connection open, and resolves with all that came back until it was closed. */
function sendAndWait(bytes: string): Promise<string> {
  const { hostname, port } = new URL(proxy.url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) }, () => socket.write(bytes));
    let received = '';
    socket.on('data', (chunk) => (received += chunk));
    socket.on('error', reject);
    socket.on('end', () => socket.end(() => resolve(received)));
  });
}

it('refuses an address that asks too much, and tells it when to come back', async () => {
  await start({ variables: { PARLANCE_ADDRESS_REQUESTS: '8' } });
  const counts = await count(12);
  expect(counts['429']).toBe(4);
  const answer = await fetch(`${proxy.url}/v1/users`);
  expect(answer.headers.get('retry-after')).toBe('10');
  expect(await answer.json()).toMatchObject({ code: 'rate_limited', decided: false, retry_after: 10 });
});

it('lets an address have so many connections and no more', async () => {
  await start({ variables: { PARLANCE_ADDRESS_CONNECTIONS: '3' } });
  const held = [await live(), await live(), await live()];
  await expect(live()).rejects.toThrow();
  expect(held.every(({ socket }) => socket.readyState === WebSocket.OPEN)).toBe(true);
});

it('takes a node in while it runs, and holds it like the others', async () => {
  await start();
  const fourth = await startStandInNode('four');
  nodes.push(fourth);
  expect(await proxy.addNode(fourth)).toBe('node4');
  await until(({ status, weight }) => status === 'UP' && weight === 100, ['node4']);
  expect(await count(40)).toEqual({ one: 10, two: 10, three: 10, four: 10 });
  fourth.agent = 'drain';
  await until(({ status }) => status.startsWith('DRAIN'), ['node4']);
  expect(await count(30)).toEqual({ one: 10, two: 10, three: 10 });
});

it('speaks TLS with the certificate it is given, and sends plain visitors there', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-test-'));
  try {
    const pem = await makeCertificate(folder);
    if (pem === undefined) notRun(context, 'openssl is missing: sudo apt-get install openssl');
    await start({ tlsPem: pem! });
    const ca = await readFile(join(folder, 'cert.pem'));
    const { status, body, hsts } = await new Promise<{ status?: number; body: string; hsts?: string }>((resolve, reject) => {
      httpsGet(`${proxy.url}/v1/users`, { ca }, (response) => {
        let body = '';
        response.on('data', (chunk) => (body += chunk));
        response.on('end', () => resolve({ status: response.statusCode!, body, hsts: response.headers['strict-transport-security'] as string }));
      }).on('error', reject);
    });
    expect({ status, body }).toEqual({ status: 200, body: expect.stringMatching(/^(one|two|three)$/) });
    expect(hsts).toContain('max-age=');
    expect(nodes.flatMap((node) => node.requests)[0]?.headers['x-forwarded-proto']).toBe('https');

    const socket = new WebSocket(`${proxy.url.replace('http', 'ws')}/v1/live`, { ca });
    sockets.push(socket);
    expect(await nextText(socket)).toMatch(/^(one|two|three)$/);

    const plain = await fetch(`${proxy.plainUrl}/v1/users`, { redirect: 'manual' });
    expect(plain.status).toBe(308);
    expect(plain.headers.get('location')).toMatch(/^https:/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** The file HAProxy wants, certificate and key in one; undefined without openssl. */
async function makeCertificate(folder: string): Promise<string | undefined> {
  const [key, cert, pem] = ['key.pem', 'cert.pem', 'both.pem'].map((name) => join(folder, name)) as [string, string, string];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', cert];
  const { status } = spawnSync('openssl', [...request, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'], { stdio: 'ignore' });
  if (status !== 0) return undefined;
  await writeFile(pem, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 });
  return pem;
}

it('starts from its file with nothing set: HAProxy finds nothing wrong with it', () => {
  const file = join(import.meta.dirname, '../../deploy/haproxy.cfg');
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARLANCE_')));
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8', env: environment });
  expect(stderr).not.toMatch(/WARNING|ALERT/);
  expect(status).toBe(0);
});
