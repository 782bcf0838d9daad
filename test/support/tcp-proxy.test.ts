import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

// The bad network that other tests trust to be as bad as they say.

let echo: Server;
let proxy: TcpProxy;
let echoed = 0;

const portOf = (server: Server): number => (server.address() as { port: number }).port;

beforeAll(async () => {
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined).on('data', (chunk) => (echoed += chunk.length));
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(echo, 'listening');
});
afterAll(() => void echo.close());
beforeEach(async () => {
  proxy = await startTcpProxy({ targetPort: portOf(echo) });
});
afterEach(() => proxy.close());

async function client(): Promise<Socket> {
  const socket = tcpConnect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

async function receive(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let got = 0; got < bytes; got += chunks.at(-1)!.length) chunks.push((await once(socket, 'data'))[0] as Buffer);
  return Buffer.concat(chunks);
}

test('bytes come whole and in order, and an end is an end', async () => {
  const socket = await client();
  const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251));
  socket.write(sent);
  expect((await receive(socket, sent.length)).equals(sent)).toBe(true);
  socket.end('bye');
  expect(String(await receive(socket, 3))).toBe('bye');
  await once(socket, 'close');
  expect(socket.errored).toBeNull();
});

test('a long line is late both ways, a thin one takes its time', async () => {
  proxy.shape({ latencyMs: 60 });
  const socket = await client();
  let began = performance.now();
  socket.write('x');
  await receive(socket, 1);
  expect(performance.now() - began).toBeGreaterThanOrEqual(118);
  proxy.shape({ bytesPerSecond: 200_000 });
  began = performance.now();
  socket.write(Buffer.alloc(40_000));
  await receive(socket, 40_000);
  expect(performance.now() - began).toBeGreaterThanOrEqual(198);
  socket.destroy();
});

test('what is held in one direction arrives when it is released', async () => {
  const socket = await client();
  proxy.hold('fromTarget');
  let got = '';
  socket.on('data', (chunk) => (got += chunk));
  const second = await client();
  echoed = 0;
  socket.write('held');
  second.write('held too');
  await expect.poll(() => echoed, { message: 'the other direction is open' }).toBe(12);
  expect(got).toBe('');
  proxy.release();
  expect(String(await receive(second, 8))).toBe('held too');
  await expect.poll(() => got).toBe('held');
  socket.destroy();
  second.destroy();
});

test('a cut breaks what is open and what is begun, until it is mended', async () => {
  const socket = await client();
  socket.write('x');
  await receive(socket, 1);
  const broken = once(socket, 'error');
  proxy.cut();
  expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' });
  const refused = tcpConnect(proxy.port, '127.0.0.1');
  const failed = await new Promise<boolean>((resolve) => {
    refused.once('error', () => resolve(true));
    refused.once('data', () => resolve(false));
    refused.write('x');
  });
  expect(failed).toBe(true);
  proxy.mend();
  const again = await client();
  again.write('y');
  expect(String(await receive(again, 1))).toBe('y');
  again.destroy();
  await expect.poll(() => proxy.connections).toBe(0);
});

test('a program that came back elsewhere is found there', async () => {
  const other = createServer((socket) => void socket.end('other')).listen(0, '127.0.0.1');
  await once(other, 'listening');
  proxy.retarget(portOf(other));
  expect(String(await receive(await client(), 5))).toBe('other');
  proxy.retarget(1);
  const socket = await client();
  expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' });
  other.close();
});
