import { createServer } from 'node:net';

// Below the range from which the kernel picks ports for outgoing connections (32768 and up on Linux): a port stays free for its member while that is dead.
const portMin = 20_000;
const portMax = 32_000;

const handedOut = new Set<number>();

/**
 * Ports that nobody listens on, on any of the addresses, and that this process has not handed out before. Another process may still take one before its
 * user listens there: rare, and a clear error of whoever comes second.
 */
export async function freePorts(count: number, addresses: readonly string[] = ['127.0.0.1']): Promise<number[]> {
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries++) {
    if (tries > 1000) throw new Error(`No ${count} free ports from ${portMin} to ${portMax}.`);
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    if (handedOut.has(port)) continue;
    const areFree = await Promise.all(addresses.map((address) => isFree(address, port)));
    if (!areFree.every(Boolean)) continue;
    handedOut.add(port);
    found.push(port);
  }
  return found;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}
