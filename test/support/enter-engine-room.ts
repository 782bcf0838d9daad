import { get } from 'node:http';
import { basename } from 'node:path';
import { expect, inject } from 'vitest';
import type { Engine } from '../../deploy/local/jars.ts';
import type { RoomAnswer } from './engine-room.ts';

// For `setupFiles`: before a test file is loaded, asks for the engines that its name says it needs, so that `kafkaAt()` and `cassandraAt()` can answer at once.

const kind = basename(expect.getState().testPath ?? '')
  .split('.')
  .at(-3);

if (kind === 'kafka' || kind === 'cluster') await enter('kafka', 'PARLANCE_TEST_KAFKA');
if (kind === 'cassandra' || kind === 'cluster') await enter('cassandra', 'PARLANCE_TEST_CASSANDRA');
// A file that starts engines of its own: the shared ones are over.
if (!['kafka', 'cassandra', 'cluster'].includes(kind ?? '') && inject('engineRoom') !== undefined) await ask(`${inject('engineRoom')}/leave`);

/** Sets the engine's variable, unless it names a running one already. Leaves it unset, and says why, where the engine cannot be had. */
async function enter(engine: Engine, variable: string): Promise<void> {
  if (process.env[variable] !== undefined) return;
  const answer = await ask(`${inject('engineRoom')}/${engine}`);
  if ('addresses' in answer) process.env[variable] = answer.addresses;
  else console.log(`NOT RUN: tests on ${engine}: ${answer.missing}`);
}

/** Not with fetch, which gives up after five minutes: jars may have to come over a slow line first. */
function ask(url: string): Promise<RoomAnswer> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => (response.statusCode === 200 ? resolve(JSON.parse(body) as RoomAnswer) : reject(new Error(body))));
    }).on('error', reject);
  });
}
