import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { type Cassandra, startCassandra } from '../../deploy/local/cassandra.ts';
import { type Engine, missingPackages } from '../../deploy/local/jars.ts';
import { type Kafka, startKafka } from '../../deploy/local/kafka.ts';

// Keeps the real engines that test files share. It lives in vitest's main process for one run and answers the workers over HTTP on loopback: the first file that asks
// for an engine has it started, those after it find it running, and a run whose files ask for none starts none. Files that start engines of their own run last and have
// the shared ones ended first: there is no memory for both.

declare module 'vitest' {
  interface ProvidedContext {
    /** Undefined when no selected file needs shared engines. */
    engineRoom: string | undefined;
  }
}

/** What the room answers: the value of the engine's variable, or why there is none. */
export type RoomAnswer = { addresses: string } | { missing: string };

/** For `globalSetup`: opens the room, and returns how it is closed. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running: { kafka?: Promise<Kafka>; cassandra?: Promise<Cassandra> } = {};

  const enter = async (engine: Engine): Promise<RoomAnswer> => {
    const missing = missingPackages([engine]);
    if (missing.length > 0) return { missing: `sudo apt-get install ${missing.join(' ')}` };
    const begunAt = performance.now();
    const isNew = running[engine] === undefined;
    let addresses: readonly string[];
    if (engine === 'kafka') {
      running.kafka ??= startKafka();
      addresses = (await running.kafka).brokers;
    } else {
      running.cassandra ??= startCassandra();
      addresses = (await running.cassandra).contactPoints;
    }
    if (isNew) console.log(`${engine}: ${addresses.length} up after ${((performance.now() - begunAt) / 1000).toFixed(0)} s`);
    return { addresses: addresses.join(',') };
  };

  const leave = async (): Promise<void> => {
    const { kafka, cassandra } = running;
    delete running.kafka;
    delete running.cassandra;
    // One that did not start has left nothing to stop.
    await Promise.allSettled([kafka?.then((one) => one.stop()), cassandra?.then((one) => one.stop())]);
  };

  const server = createServer((request, response) => {
    const answer = request.url === '/leave' ? leave() : enter(request.url === '/kafka' ? 'kafka' : 'cassandra');
    answer.then(
      (value) => response.end(JSON.stringify(value ?? {})),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Through the root project every project learns it.
  project.vitest.getRootProject().provide('engineRoom', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  return async () => {
    server.closeAllConnections();
    server.close();
    await leave();
  };
}
