import { connect } from 'node:net';

/** Requests a second of the same GET over `connections` kept open, each asking again as soon as it has its answer. The answers are counted, not parsed. */
export async function readsPerSecond(port: number, path: string, token: string, connections: number, measureMs: number): Promise<number> {
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  let count = 0;
  let isStopped = false;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(request));
      let wanted = -1;
      let have = 0;
      socket.setNoDelay(true);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        have += chunk.length;
        if (wanted === -1) {
          const head = chunk.toString('latin1', 0, Math.min(chunk.length, 2000));
          const end = head.indexOf('\r\n\r\n');
          const length = /content-length: (\d+)/i.exec(head);
          if (!head.startsWith('HTTP/1.1 200') || end === -1 || length === null) {
            reject(new Error(`not an answer: ${head.slice(0, 200)}`));
            socket.destroy();
            return;
          }
          wanted = end + 4 + Number(length[1]);
        }
        if (have < wanted) return;
        count += 1;
        wanted = -1;
        have = 0;
        if (!isStopped) socket.write(request);
        else {
          socket.destroy();
          resolve();
        }
      });
    });
  const began = performance.now();
  const all = Promise.all(Array.from({ length: connections }, one));
  await Promise.race([all, new Promise((resolve) => setTimeout(resolve, measureMs))]);
  const perSecond = count / ((performance.now() - began) / 1000);
  isStopped = true;
  await all;
  return perSecond;
}
