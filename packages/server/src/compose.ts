import { randomBytes } from 'node:crypto';
import { type MessagePort, Worker } from 'node:worker_threads';
import { EmbeddedJournal } from './journal/embedded.ts';
import type { Journal } from './journal/port.ts';
import { reportFailure, serveThread, ThreadJournal } from './journal/thread.ts';
import { type SequencerOptions, sequence } from './sequencer/sequencer.ts';
import { SqliteStore } from './store/embedded/store.ts';
import type { Store } from './store/port.ts';

// The only file that names an engine: which journal and which store a process has. Everything else sees the two ports.

export interface Engines {
  journal: Journal;
  store: Store;
  /** Rejects when an engine fails in a way that the process cannot mend. */
  failed: Promise<never>;
  close(): Promise<void>;
}

export interface WriterData {
  dataDir: string;
}

export const sequencerOptions: SequencerOptions = {
  batchMax: 2000,
  pendingMax: 4,
  knownMax: 50_000,
  appendTries: 5,
  clock: Date.now,
  newId: () => randomBytes(8).toString('hex'),
};

/** Starts the embedded engines on a data directory: SQLite on a thread of its own, which holds the directory's lock. Rejects with a sentence when it cannot. */
export async function composeEmbedded(dataDir: string, onWriterError: (message: string) => void): Promise<Engines> {
  const worker = new Worker(new URL(import.meta.url.replace(/compose(\.[jt]s)$/, 'writer$1')), { workerData: { dataDir } satisfies WriterData });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', (message: { ready: true } | { error: string }) => ('error' in message ? reject(new Error(message.error)) : resolve()));
    worker.once('error', reject);
  });
  const journal = new ThreadJournal(worker as unknown as MessagePort, onWriterError);
  const store = await SqliteStore.open({ directory: dataDir, mode: 'reader' });
  // The connection on this thread only reads.
  store.mark = (conversation, userId, mark) => journal.mark({ conversation, userId, mark });
  const failed = new Promise<never>((_, reject) => {
    worker.once('error', (error) => {
      journal.died();
      reject(error);
    });
  });
  failed.catch(() => undefined);
  return {
    journal,
    store,
    failed,
    close: async () => {
      await journal.close();
      await store.close();
      await worker.terminate();
    },
  };
}

/** The writer's thread. */
export async function composeWriter(port: MessagePort, { dataDir }: WriterData): Promise<void> {
  let store: SqliteStore;
  try {
    store = await SqliteStore.open({ directory: dataDir, mode: 'writer' });
  } catch (error) {
    port.postMessage({ error: (error as Error).message });
    return;
  }
  const journal = new EmbeddedJournal(
    () => store.position(0),
    (error) => reportFailure(port, error),
  );
  journal.decide((log, signal) => sequence(log, store, sequencerOptions, signal));
  port.postMessage({ ready: true });
  serveThread(port, {
    journal,
    mark: ({ conversation, userId, mark }) => store.mark(conversation, userId, mark),
    close: () => store.close(),
  });
}
