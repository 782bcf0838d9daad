import { expect, it } from 'vitest';
import { parseRoute, pathOf, pathWith } from './route.ts';

it('takes every address of the app apart', () => {
  expect(parseRoute('/')).toEqual({ name: 'home' });
  expect(parseRoute('/c/%40bob')).toEqual({ name: 'conversation', reference: '@bob', msgId: null });
  expect(parseRoute('/c/%23team/m/7')).toEqual({ name: 'conversation', reference: '#team', msgId: '7' });
  expect(parseRoute('/c/g:team')).toEqual({ name: 'conversation', reference: 'g:team', msgId: null });
  expect(parseRoute('/settings')).toEqual({ name: 'settings' });
  expect(parseRoute('/login')).toEqual({ name: 'logIn' });
  expect(parseRoute('/first-admin/abc')).toEqual({ name: 'firstAdmin', link: 'abc' });
});

it('takes nothing else for one', () => {
  for (const path of ['/c', '/c/nobody', '/c/%40bob/m/0', '/c/%40bob/x/1', '/c/%40bob/m/1/2', '/c/%E0%A4%A', '/settings/x', '/constructor']) {
    expect(parseRoute(path), path).toEqual({ name: 'unknown' });
  }
});

it('writes the address of a conversation as its people would', () => {
  expect(pathOf('d:ann:bob', 'ann')).toBe('/c/%40bob');
  expect(pathOf('d:ann:bob', 'bob', '12')).toBe('/c/%40ann/m/12');
  expect(pathOf('g:team', 'ann')).toBe('/c/%23team');
  expect(pathOf('d:ann:ann', 'ann')).toBe('/c/%40ann');
  expect(pathWith('bob', 'ann')).toBe('/c/%40bob');
});
