import { expect, it } from 'vitest';
import { queryOn } from '../../deploy/local/cassandra-probe.ts';
import { cassandraAt } from '../support/engines.ts';
import { notRun } from '../support/server-process.ts';

it('a test file named after Cassandra finds three nodes, each of which reaches all copies', async (context) => {
  const cassandra = cassandraAt() ?? notRun(context, 'Cassandra is missing');
  expect(cassandra.contactPoints).toHaveLength(3);
  for (const node of cassandra.contactPoints) await queryOn(node, 'SELECT id FROM system_distributed.repair_history LIMIT 1', 'ALL');
});
