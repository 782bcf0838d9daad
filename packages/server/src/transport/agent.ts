import { createServer, type Server } from 'node:net';
import type { Vitals } from '../node/vitals.ts';

// The port on which HAProxy's agent check asks how busy this node is (HAProxy configuration manual, agent-check): it connects, reads one line, and shifts work to the
// nodes that are less busy. It never takes a node out: that is what /readyz is for.

/** Below this a node would get so little that nobody saw it recover. */
const weightMinPercent = 10;

/** The line for a load from 0 to 1. A node that is half busy or less is given its full share. */
export function agentLine(load: number, isDraining: boolean): string {
  if (isDraining) return 'drain\n';
  const percent = Math.round(100 * Math.min(1, 2 - 2 * load));
  return `ready up ${Math.max(weightMinPercent, percent)}%\n`;
}

/** Answers on a port of `host`. Resolves when it listens; rejects when the port is taken. */
export async function serveAgent(host: string, port: number, vitals: Vitals, isDraining: () => boolean): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.setTimeout(1000, () => socket.destroy());
    socket.end(agentLine(vitals.load, isDraining()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return server;
}
