import { expect, it } from 'vitest';
import { brokersSeenBy } from '../../deploy/local/kafka-probe.ts';
import { kafkaAt } from '../support/engines.ts';
import { notRun } from '../support/server-process.ts';

it('a test file named after Kafka finds three brokers that see each other', async (context) => {
  const kafka = kafkaAt() ?? notRun(context, 'Kafka is missing');
  for (const broker of kafka.brokers) expect(await brokersSeenBy(broker)).toHaveLength(3);
});
