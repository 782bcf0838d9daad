import { describe, expect, it } from 'vitest';
import { assertOptions, type CassandraOptions, portOf } from './options.ts';

const good: CassandraOptions = { contactPoints: ['127.0.0.1'], dataCenter: 'dc1', keyspace: 'parlance' };

describe('the settings of a Cassandra store', () => {
  it('are taken when they can be', () => {
    expect(() => assertOptions(good)).not.toThrow();
    expect(() => assertOptions({ ...good, replicationFactor: 1, consistency: 'ALL', tls: { ca: 'x' } })).not.toThrow();
  });

  it.each<[string, Partial<CassandraOptions>, string]>([
    ['no node', { contactPoints: [] }, 'No Cassandra node is named'],
    ['nodes at different ports', { contactPoints: ['10.0.0.1:9042', '10.0.0.2:9043'] }, 'same port'],
    ['a port for one of them', { contactPoints: ['10.0.0.1', '10.0.0.2:9043'] }, 'same port'],
    ['no data centre', { dataCenter: '' }, 'data centre is not set'],
    ['a keyspace that would have to be quoted', { keyspace: 'Chat' }, "'Chat' cannot name a keyspace"],
    ['no replicas', { replicationFactor: 0 }, 'replication factor'],
    ['reads that may miss what was written', { consistency: 'ONE' as never }, "'ONE' cannot be the consistency"],
    ['half a client certificate', { tls: { cert: 'x' } }, 'both the certificate and its key'],
  ])('are refused with a sentence: %s', (_what, change, sentence) => {
    expect(() => assertOptions({ ...good, ...change })).toThrow(sentence);
  });

  it.each([
    ['cassandra.example', 9042],
    ['10.0.0.1:19042', 19042],
    ['[2001:db8::1]:19042', 19042],
    ['2001:db8::1', 9042],
  ])('name the port of all nodes: %s', (contactPoint, port) => {
    expect(portOf({ contactPoints: [contactPoint] })).toBe(port);
  });
});
