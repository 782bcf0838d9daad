// Ends what a launcher started and cleans up after it, however the launcher ends, kill -9 included. The launcher holds the other end of this process's
// input and writes to it what it has; when the launcher is gone the input ends, and what is still on the list then is killed and removed.

import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const processes = new Set<number>();
const folders = new Set<string>();

const lines = createInterface({ input: process.stdin });

lines.on('line', (line) => {
  const told = JSON.parse(line) as ['started', number] | ['ended', number] | ['made', string] | ['removed', string];
  if (told[0] === 'started') processes.add(told[1]);
  else if (told[0] === 'ended') processes.delete(told[1]);
  else if (told[0] === 'made') folders.add(told[1]);
  else folders.delete(told[1]);
});

lines.on('close', () => {
  for (const pid of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  // A process that is just being killed may still write: a folder is tried again for a while.
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});
