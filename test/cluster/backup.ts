import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CassandraNode } from '../../deploy/local/cassandra.ts';
import { queryOn } from '../../deploy/local/cassandra-probe.ts';

// Backup and restore of the store as docs/operations.md tells an operator to do it: a snapshot of each Cassandra node, and its files imported again.

/** Tables of the keyspace, each with the folder of its files, on one node. */
async function tablesOf({ folder }: CassandraNode, keyspace: string): Promise<{ table: string; files: string }[]> {
  const root = join(folder, 'data', keyspace);
  return (await readdir(root)).map((name) => ({ table: name.slice(0, name.lastIndexOf('-')), files: join(root, name) }));
}

export async function takeSnapshot(nodes: readonly CassandraNode[], keyspace: string, name: string): Promise<void> {
  for (const node of nodes) await node.nodetool('snapshot', '-t', name, keyspace);
}

/** Every row on every node is gone. */
export async function loseEverything([first]: readonly CassandraNode[], keyspace: string): Promise<void> {
  for (const { table } of await tablesOf(first!, keyspace)) await queryOn(first!.address, `TRUNCATE ${keyspace}.${table}`, 'ALL');
}

export async function restoreSnapshot(nodes: readonly CassandraNode[], keyspace: string, name: string): Promise<void> {
  for (const node of nodes) {
    for (const { table, files } of await tablesOf(node, keyspace)) {
      const snapshot = join(files, 'snapshots', name);
      const hasRows = await readdir(snapshot).then(
        (found) => found.some((file) => file.endsWith('-Data.db')),
        () => false, // An empty table has no snapshot.
      );
      if (hasRows) await node.nodetool('import', '--copy-data', keyspace, table, snapshot);
    }
  }
}
