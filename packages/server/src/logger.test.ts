import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function written(logJson: boolean, log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  log(createLogger({ logLevel: 'info', logJson }, destination));
  return text;
}

test('a line for people has time, level, part, message and fields', () => {
  const text = written(false, (logger) => logger.child({ part: 'http' }).warn({ port: 80, state: 'up' }, 'listening'));
  expect(text).toMatch(/^\d\d:\d\d:\d\d warn {2}http: listening port=80 state=up\n$/);
});

test('a line of JSON has its level by name and an RFC 3339 time', () => {
  const line = JSON.parse(written(true, (logger) => logger.info({ position: 7 }, 'applied')));
  expect(line).toMatchObject({ level: 'info', position: 7, msg: 'applied' });
  expect(new Date(line.time).toISOString()).toBe(line.time);
});

test('what slips into a line of secrets and texts is kept out, on the first three levels', () => {
  const command = { kind: 'send', text: 'hush', nested: { token: 'hush', password: 'hush' } };
  for (const logJson of [true, false]) {
    const text = written(logJson, (logger) => logger.error({ command, authorization: 'Bearer hush', email: 'hush', address: 'hush' }, 'failed'));
    expect(text).toContain('failed');
    expect(text).not.toContain('hush');
  }
});

test('a fault is shown with its stack', () => {
  expect(written(false, (logger) => logger.error({ err: new Error('disk gone') }, 'apply failed'))).toMatch(/apply failed\nError: disk gone\n {4}at /);
});
