import { it, vi } from 'vitest';
import { startCluster } from '../../deploy/local/cluster.ts';
import { cassandraAt, kafkaAt } from '../support/engines.ts';
import { notRun, raisedSettings } from '../support/server-process.ts';
import { protocolConformance } from './protocol.ts';

// The protocol on three nodes over real Kafka and Cassandra: what one says through HAProxy, another hears at a node of its own.

// Ten processes share two cores.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

const kafka = kafkaAt();
const cassandra = cassandraAt();

if (kafka === undefined || cassandra === undefined) {
  it('the protocol on a cluster', (context) => notRun(context, 'there are no engines here'));
} else {
  protocolConformance('cluster', async () => {
    const cluster = await startCluster({
      kafka: kafka.brokers,
      cassandra: cassandra.contactPoints,
      settings: { ...raisedSettings, PARLANCE_SOCKET_QUEUE_BYTES: '65536' },
      haproxy: { variables: { PARLANCE_ADDRESS_REQUESTS: '1000000', PARLANCE_ADDRESS_CONNECTIONS: '10000' } },
    });
    return {
      url: cluster.url,
      otherUrl: cluster.nodes[1]!.url,
      async restart() {
        await Promise.all(cluster.nodes.map((node) => node.restart()));
        await cluster.haproxy.untilUp(
          cluster.nodes.map(({ name }) => name),
          30_000,
        );
        return cluster.url;
      },
      stop: () => cluster.stop(),
    };
  });
}
