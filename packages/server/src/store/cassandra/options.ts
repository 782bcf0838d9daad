// The settings of a Cassandra store, and what is wrong with them before anything is asked of the network.

export interface CassandraOptions {
  /** host or host:port of some nodes; the others are found through them, at the same port. 9042 when none is named. */
  contactPoints: readonly string[];
  /** The nodes talked to, and whose replicas make a local quorum. */
  dataCenter: string;
  /** Made if it is not there, with this replication factor in this data centre. */
  keyspace: string;
  /** Copies of every row in the data centre. Default 3: one machine may fail and nothing stops. */
  replicationFactor?: number;
  /** How many copies a read or write waits for. Default LOCAL_QUORUM; all of these meet each other, which is what reading one's own writes rests on. */
  consistency?: Consistency;
  /** Contents of PEM files. `ca` alone encrypts and checks the nodes’ certificates; `cert` and `key` also prove who this is. */
  tls?: { ca?: string; cert?: string; key?: string };
  credentials?: { username: string; password: string };
  /** One answer is waited for so long, ms, before another node is asked. Default 5000. */
  requestTimeoutMs?: number;
  /** Seqs in one bucket of a conversation. Default 4096; fixed for ever with the first row. Tests take few. */
  bucketSeqs?: number;
}

export type Consistency = 'LOCAL_QUORUM' | 'QUORUM' | 'ALL';

const portDefault = 9042;

/** The one port that all nodes listen on: what they tell of each other is addresses alone. */
export const portOf = ({ contactPoints }: Pick<CassandraOptions, 'contactPoints'>): number => portIn(contactPoints[0]!);

/** Of `host`, `host:port`, `[address]:port` or an IPv6 address without brackets. */
function portIn(contactPoint: string): number {
  const port = /^(?:[^:]+|\[.*\]):(\d+)$/.exec(contactPoint)?.[1];
  return port === undefined ? portDefault : Number(port);
}

const consistencies: readonly string[] = ['LOCAL_QUORUM', 'QUORUM', 'ALL'] satisfies Consistency[];

/** Throws a sentence about the first setting that cannot be. */
export function assertOptions({ contactPoints, dataCenter, keyspace, replicationFactor = 3, consistency = 'LOCAL_QUORUM', tls }: CassandraOptions): void {
  if (contactPoints.length === 0) throw new Error('No Cassandra node is named: set at least one contact point, as host or host:port.');
  const ports = new Set(contactPoints.map(portIn));
  if (ports.size > 1) {
    throw new Error(`All Cassandra nodes must listen on the same port (native_transport_port): the contact points name ${[...ports].join(' and ')}.`);
  }
  if (dataCenter === '') throw new Error('The Cassandra data centre is not set; `nodetool status` prints its name.');
  // In lower case, or the name would have to be quoted wherever it stands, also in what an operator types.
  if (!/^[a-z][a-z0-9_]{0,47}$/.test(keyspace)) {
    throw new Error(`'${keyspace}' cannot name a keyspace: use up to 48 of a-z, 0-9 and _, beginning with a letter.`);
  }
  if (!Number.isInteger(replicationFactor) || replicationFactor < 1) throw new Error('The replication factor is a whole number from 1 on; 3 is usual.');
  if (!consistencies.includes(consistency)) {
    throw new Error(`'${consistency}' cannot be the consistency: with anything but ${consistencies.join(', ')}, people would not see what they wrote.`);
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) throw new Error('TLS to Cassandra needs both the certificate and its key, or neither.');
}
