import { parentPort, workerData } from 'node:worker_threads';
import { composeWriter, type WriterData } from './compose.ts';

// Entry of the writer's thread: the embedded journal, deciding and the connection that writes. `compose.ts` starts it and says what it is made of.

await composeWriter(parentPort!, workerData as WriterData);
