// Where the real engines are that tests run on. `PARLANCE_TEST_KAFKA` and `PARLANCE_TEST_CASSANDRA` (host:port, separated by commas) name running ones; otherwise they
// are started for test files whose name ends in `.kafka.test.ts`, `.cassandra.test.ts` or, both of them, `.cluster.test.ts`, once for all (see engine-room.ts).
// Files share them: a test makes topics and keyspaces of its own, under names nobody else can have, and harms no engine. One that does starts its own (deploy/local).

export interface KafkaAt {
  /** host:port of each broker. */
  brokers: string[];
}

export interface CassandraAt {
  /** host:port of each node. */
  contactPoints: string[];
  dataCenter: string;
}

const listOf = (name: string): string[] | undefined => process.env[name]?.split(',');

/** Three brokers; undefined where there are none: then the test skips itself with `notRun`. */
export function kafkaAt(): KafkaAt | undefined {
  const brokers = listOf('PARLANCE_TEST_KAFKA');
  return brokers === undefined ? undefined : { brokers };
}

/** Three nodes; undefined where there are none: then the test skips itself with `notRun`. */
export function cassandraAt(): CassandraAt | undefined {
  const contactPoints = listOf('PARLANCE_TEST_CASSANDRA');
  return contactPoints === undefined ? undefined : { contactPoints, dataCenter: 'datacenter1' };
}
