import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Person } from '../conformance/protocol-client.ts';
import { raisedLimits, removeFolders, type ServerProcess, startServerProcess } from '../support/server-process.ts';

// Clients that take their time on purpose.

const requestTimeoutMs = 1000;
/** The time allowed, how often the server looks, and some for a busy machine. */
const cutWithinMs = requestTimeoutMs + 1000 + 3000;
let server: ServerProcess;
let ada: Person;

beforeAll(async () => {
  server = await startServerProcess({ flags: [...raisedLimits, `--request-timeout-ms=${requestTimeoutMs}`] });
  ada = await Person.make(server.url, 'ada');
});
afterAll(removeFolders);

async function open(): Promise<Socket> {
  const { port, hostname } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Everything that comes until the connection ends, and how long that took. */
async function untilEnd(socket: Socket): Promise<{ text: string; elapsedMs: number }> {
  const began = performance.now();
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString();
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return { text, elapsedMs: performance.now() - began };
}

const start = 'POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

it.each([
  ['headers that never end', `${start}X-Slow: `, 'x'],
  ['a body that never ends', `${start}Content-Length: 5000\r\n\r\n{"user_id":"`, 'x'],
  ['a body in chunks that never ends', `${start}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`, '1\r\n \r\n'],
])('cuts %s with 408', async (_what, first, drop) => {
  const socket = await open();
  socket.write(first);
  // Something keeps coming, so that the connection is never idle.
  const drip = setInterval(() => socket.write(drop), 50);
  const { text, elapsedMs } = await untilEnd(socket);
  clearInterval(drip);
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
  expect(text).toContain('"code":"request_timeout"');
  expect(elapsedMs).toBeGreaterThan(requestTimeoutMs / 2);
  expect(elapsedMs).toBeLessThan(cutWithinMs);
});

it('serves others while hundreds of connections are half open, and then lets those go', async () => {
  const sockets = await Promise.all(Array.from({ length: 400 }, open));
  const ends = sockets.map(untilEnd);
  for (const [index, socket] of sockets.entries()) socket.write(index % 2 === 0 ? 'GET /v1/me HTTP/1.1\r\nHost' : `${start}Content-Length: 60000\r\n\r\n{`);
  const began = performance.now();
  const live = await ada.live();
  for (let count = 0; count < 20; count++) expect((await ada.send(`@${ada.id}`, String(count))).status).toBe(201);
  await live.until(() => live.events(`d:${ada.id}:${ada.id}`).length === 20);
  expect(performance.now() - began, 'served meanwhile').toBeLessThan(3000);
  live.close();
  for (const { elapsedMs } of await Promise.all(ends)) expect(elapsedMs).toBeLessThan(cutWithinMs);
});
