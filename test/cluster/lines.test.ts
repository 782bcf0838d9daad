import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { Lines } from './lines.ts';

it('cuts one member’s way to another and no one else’s', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-test-'));
  const target = createServer((socket) => void socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
  await once(target, 'listening');
  const lines = new Lines();
  const { port } = await lines.front('engine', { host: '127.0.0.1', port: (target.address() as { port: number }).port }, { host: '127.0.0.1' });

  // Each line it is given goes over a connection of its own; it says what came of it.
  const source = `
    const { connect } = require('node:net');
    require('node:readline').createInterface({ input: process.stdin }).on('line', () => {
      const socket = connect(${port}, '127.0.0.1');
      socket.write('x');
      socket.once('data', () => { console.log('answered'); socket.destroy(); });
      socket.once('error', () => console.log('broken'));
    });`;
  const members = await Promise.all(
    ['one', 'two'].map(async (name) => {
      const cwd = join(folder, name);
      await mkdir(cwd);
      const child = spawn(process.execPath, ['-e', source], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
      const said = createInterface({ input: child.stdout });
      const ask = async (): Promise<string> => {
        child.stdin.write('\n');
        return (await once(said, 'line'))[0] as string;
      };
      return { child, ask };
    }),
  );
  const [one, two] = members as [(typeof members)[number], (typeof members)[number]];
  try {
    expect([await one.ask(), await two.ask()]).toEqual(['answered', 'answered']);
    (await lines.between('one', 'engine')).cut();
    expect([await one.ask(), await two.ask()]).toEqual(['broken', 'answered']);
    await lines.mendAll();
    expect([await one.ask(), await two.ask()]).toEqual(['answered', 'answered']);
  } finally {
    for (const { child } of members) child.kill('SIGKILL');
    await lines.close();
    target.close();
    await rm(folder, { recursive: true, force: true });
  }
});
