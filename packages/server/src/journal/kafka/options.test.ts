import { describe, expect, it } from 'vitest';
import { brokerOf, settingsOf } from './options.ts';

describe('the options of the journal on Kafka', () => {
  it('have defaults, also for those given as undefined', () => {
    const settings = settingsOf({ brokers: ['kafka:9092'], nodeId: 'a', partitions: undefined, base: 7 });
    expect(settings).toMatchObject({ topicPrefix: 'parlance', partitions: 16, replicationFactor: 3, minInsyncReplicas: 2, base: 7 });
  });

  it('name brokers by host and port', () => {
    expect(brokerOf(' kafka.example.org:9092')).toEqual({ host: 'kafka.example.org', port: 9092 });
    expect(brokerOf('[::1]:9093')).toEqual({ host: '::1', port: 9093 });
    for (const wrong of ['kafka', 'kafka:', 'kafka:0', 'kafka:70000', '::1:9092', '']) expect(() => brokerOf(wrong), wrong).toThrow('write host:port');
  });

  it('are refused with a sentence when they cannot be right', () => {
    const right = { brokers: ['kafka:9092'], nodeId: 'a' };
    expect(() => settingsOf({ ...right, brokers: [] })).toThrow('No Kafka broker is named');
    expect(() => settingsOf({ ...right, topicPrefix: 'a b' })).toThrow('The topic prefix "a b"');
    expect(() => settingsOf({ ...right, base: -1 })).toThrow('The journal base -1');
    expect(() => settingsOf({ ...right, replicationFactor: 1 })).toThrow('2 replicas are to have every append, but there are only 1');
  });
});
