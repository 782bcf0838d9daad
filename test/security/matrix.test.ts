import { type CallName, callNames, calls, isLive } from '@parlance/schema/calls';
import { problems } from '@parlance/schema/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person } from '../conformance/protocol-client.ts';
import { requestOf } from '../support/request.ts';
import { raisedLimits, removeFolders, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { Cast, type Transport, transports } from './cast.ts';
import { type Caller, callers, expectedOf, password, type Row, rows, type Scene } from './expectations.ts';

// Every caller × every call of the schema × every transport, against the table in expectations.ts.

const linkSecret = 'the-link-of-the-security-test';
let server: ServerProcess;
let cast: Cast;

beforeAll(async () => {
  server = await startServerProcess({ flags: raisedLimits, env: { PARLANCE_ADMIN_LINK_SECRET: linkSecret } });
  cast = await Cast.make(server.url, linkSecret);
});
afterAll(async () => {
  cast.close();
  await removeFolders();
});

type Place = Awaited<ReturnType<Cast['scene']>>;

const isSafe = (name: CallName): boolean => calls[name].method === 'GET' || name === 'verify';

async function sceneFor(row: Row, place: Place, caller: Caller): Promise<{ scene: Scene; person: Person }> {
  const person = cast.people[caller];
  const scene: Scene = { ...place, me: person.id, mine: place.messages.get(person) ?? place.bystanders, otherSession: person.sessionId };
  const needsSession = row.call === 'end_session' || row.endsSession === true;
  if (!needsSession || caller === 'nobody' || caller === 'ended') return { scene, person };
  const other = new Person(server.url, person.id);
  await other.logIn(password);
  return row.endsSession ? { scene, person: other } : { scene: { ...scene, otherSession: other.sessionId }, person };
}

/** One cell. What it answered, and whether what was refused left the group as it was. */
async function cell(row: Row, transport: Transport, caller: Caller, place: Place): Promise<string> {
  const { scene, person } = await sceneFor(row, place, caller);
  const { code, answered } = await cast.tell(person, transport, row.call, row.input(scene));
  if (code !== 'ok' && code in problems && answered !== undefined) expect(answered.status, code).toBe(problems[code as keyof typeof problems].status);
  return code;
}

describe('who may do what', () => {
  it('is said for every call of the schema', () => {
    expect([...new Set(rows.map((row) => row.call))].sort()).toEqual([...callNames].sort());
  });

  const cells = rows.flatMap((row) => transports.filter((transport) => transport !== 'live' || isLive(row.call)).map((transport) => ({ row, transport })));

  it.each(cells)('$row.call, $row.what ($row.place, $transport)', async ({ row, transport }) => {
    const expected = Object.fromEntries(callers.map((caller) => [caller, expectedOf(row, caller, calls[row.call].access)]));
    const place = () => cast.scene(row.place === 'open group');
    const shared = await place();
    const told: Record<string, string> = {};
    for (const caller of callers) {
      // Who is refused changes nothing, so that all of them can be refused in one place.
      const own =
        expected[caller] === 'ok' && !isSafe(row.call) && row.place !== 'elsewhere'
          ? await place()
          : { ...shared, freshName: `${shared.freshName.slice(0, 16)}-${caller}` };
      told[caller] = await cell(row, transport, caller, own);
    }
    expect(told).toEqual(expected);
    expect(await cast.seqOf(shared.group), 'what was refused left no event').toBe(shared.seq);
  });
});

describe('a closed group', () => {
  const inClosedGroup = rows.filter((row) => row.place === 'closed group' && row.expected[0] === 'conversation_not_found');

  it.each(inClosedGroup)('is answered as one that is not there: $call, $what', async (row) => {
    const place = await cast.scene(false);
    const { scene } = await sceneFor(row, place, 'outsider');
    const plain = async (group: string) => {
      const { answered } = await cast.tell(cast.people.outsider, 'bearer', row.call, {
        ...row.input({ ...scene, group }),
        ...('write' in calls[row.call] && { client_id: 'the-same' }),
      });
      const headers = [...answered!.headers.keys()].filter((name) => name !== 'date').sort();
      return { status: answered!.status, ...answered!.body, request_id: '', headers };
    };
    expect(await plain(place.group)).toEqual(await plain('no-such-group-anywhere'));
  });
});

describe('a cookie', () => {
  const inputs = new Map(rows.map((row) => [row.call, row] as const));
  const unsafe = callNames.filter((name) => calls[name].method !== 'GET');

  const callFrom = async (name: CallName, token: Record<string, string>, headers: Record<string, string>): Promise<string> => {
    const row = inputs.get(name)!;
    const place = await cast.scene(false);
    const { scene } = await sceneFor(row, place, 'member');
    const { method, path, body } = requestOf(name, row.input(scene));
    const answered = await new Person(server.url, 'x').call(method, path, body, { ...token, ...headers });
    return answered.status < 300 ? 'ok' : (answered.body.code as string);
  };
  const cookie = (): Record<string, string> => ({ cookie: `parlance=${cast.people.member.token}` });

  it.each(unsafe)('does nothing for a page of another origin: %s', async (name) => {
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: server.url.replace('http:', 'https:') },
      { origin: `${server.url}.evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) expect(await callFrom(name, cookie(), headers), JSON.stringify(headers)).toBe('origin_refused');
  });

  it.each(['register', 'log_in'] as const)('is not even needed for a foreign page to be refused: %s', async (name) => {
    expect(await callFrom(name, {}, { origin: 'https://evil.example' })).toBe('origin_refused');
  });

  it('is not what a bearer token is: programs may say any origin', async () => {
    expect(await callFrom('update_me', { authorization: `Bearer ${cast.people.member.token}` }, { origin: 'https://evil.example' })).toBe('ok');
  });

  it('next to a bearer token counts for nothing', async () => {
    expect(await callFrom('get_me', { ...cookie(), authorization: 'Bearer not-a-token' }, {})).toBe('not_signed_in');
    expect(await callFrom('get_me', { ...cookie(), authorization: 'Basic eDp5' }, {})).toBe('not_signed_in');
  });
});
