import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';

// Stands in for `parlance serve` in tests of the launcher: says on request what it was started with, and is ready at once.

const { PARLANCE_PORT, PARLANCE_AGENT_PORT, PARLANCE_DATA_DIR } = process.env;

process.on('SIGTERM', () => process.exit(0));

createServer((request, response) => {
  const settings = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('PARLANCE_')));
  if (request.url === '/readyz') response.end('ready\n');
  else response.end(JSON.stringify({ pid: process.pid, dataDir: PARLANCE_DATA_DIR, settings }));
}).listen(Number(PARLANCE_PORT), '127.0.0.1');

createTcpServer((socket) => {
  socket.on('error', () => undefined);
  socket.end('ready up 100%\n');
}).listen(Number(PARLANCE_AGENT_PORT), '127.0.0.1');
