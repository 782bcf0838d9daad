import { expect, test } from 'vitest';
import { agentLine } from './agent.ts';

test('a node that is half busy or less gets its full share, a busier one less, none nothing', () => {
  expect([0, 0.5, 0.75, 0.9, 1].map((load) => agentLine(load, false))).toEqual([
    'ready up 100%\n',
    'ready up 100%\n',
    'ready up 50%\n',
    'ready up 20%\n',
    'ready up 10%\n',
  ]);
});

test('a node that is draining says so, however little it has to do', () => {
  expect(agentLine(0, true)).toBe('drain\n');
});
