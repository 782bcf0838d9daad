import { appendsPerSecond, rowsPerSecond } from './disk.ts';
import { fill } from './fill.ts';
import { readsPerSecond } from './history.ts';
import type { Person } from './load.ts';
import { many, measureMs, resultsFile, socketCounts, textBytes, warmUpMs } from './options.ts';
import { latencies, named, report, reportRaised, writeReport } from './report.ts';
import { BenchServer, raised, runLoad, startBare } from './server.ts';

// How fast one embedded server is, beside what the machine gives a program that does nothing else, measured in the same run. Figures on a shared machine do not repeat;
// the ratios do, roughly.

const idleSockets = 10_000;
const receivers = 1000;
/** Idle is what has nothing to do for a while: V8 gives back what a start or ten thousand handshakes took some seconds later. */
const settleMs = 15_000;

async function measureSends(server: BenchServer, people: Person[], bare: Map<number, number>, when: string): Promise<Map<number, number>> {
  const figures = new Map<number, number>();
  for (const count of socketCounts) {
    const measured = await runLoad({ kind: 'send', port: server.port, path: '/v1/live', people: people.slice(0, count), warmUpMs, measureMs, textBytes });
    figures.set(count, measured.perSecond);
    report({
      what: `acked sends, ${named(count)}${when}`,
      value: measured.perSecond,
      unit: '/s',
      ...latencies(measured),
      ratio: measured.perSecond / bare.get(count)!,
      of: 'bare ws',
    });
  }
  return figures;
}

async function measureReads(server: BenchServer, person: Person, when: string): Promise<number> {
  const path = `/v1/conversations/${encodeURIComponent('@bench0')}/messages?limit=50`;
  await readsPerSecond(server.port, path, person.token, 16, warmUpMs);
  const perSecond = await readsPerSecond(server.port, path, person.token, 16, measureMs);
  report({ what: `history pages of 50 messages${when}`, value: perSecond, unit: '/s' });
  return perSecond;
}

async function measureFanOut(server: BenchServer, people: Person[], when: string): Promise<number> {
  const sender = people[0]!;
  const members = people.slice(1, 101);
  await server.post('/v1/groups', { name: 'benchgroup', title: 'Bench', open: true, client_id: 'bench-group' }, sender.token);
  for (const { userId, token } of members) await server.put(`/v1/groups/benchgroup/members/${userId}`, {}, token);
  const measured = await runLoad({
    kind: 'fan_out',
    port: server.port,
    path: '/v1/live',
    sender,
    conversation: '#benchgroup',
    receivers: Array.from({ length: receivers }, (_, index) => members[index % members.length]!),
    warmUpMs,
    measureMs,
    textBytes,
  });
  report({ what: `deliveries, one group with ${receivers} sockets${when}`, value: measured.perSecond, unit: '/s', ...latencies(measured) });
  return measured.perSecond;
}

/** Start of the process to the first acked message, on the data there is. */
async function measureColdStart(server: BenchServer, people: Person[], when: string): Promise<BenchServer> {
  await server.stop(true);
  const began = performance.now();
  const next = await BenchServer.start(server.folder);
  await next.post(`/v1/conversations/${encodeURIComponent('@bench1')}/messages`, { text: 'first' }, people[0]!.token);
  report({ what: `cold start to first ack${when}`, value: performance.now() - began, unit: 'ms' });
  return next;
}

async function measureMemory(server: BenchServer, people: Person[], when: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const idleMb = server.memoryMb;
  report({ what: `memory, idle${when}`, value: idleMb, unit: 'MB' });
  await runLoad({ kind: 'idle', port: server.port, path: '/v1/live', people, sockets: idleSockets }, async () => {
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    report({ what: `memory per idle socket at ${idleSockets}${when}`, value: ((server.memoryMb - idleMb) * 1024) / idleSockets, unit: 'KB' });
  });
}

reportRaised(raised);
const bare = await startBare();
const bareFigures = new Map<number, number>();
const nobody = (count: number): Person[] => Array.from({ length: count }, (_, index) => ({ userId: `bench${index}`, token: '' }));
for (const count of socketCounts) {
  const measured = await runLoad({ kind: 'send', port: bare.port, path: '/', people: nobody(count), warmUpMs, measureMs, textBytes, isBare: true });
  bareFigures.set(count, measured.perSecond);
  report({ what: `raw: bare ws, no store, ${named(count)}`, value: measured.perSecond, unit: '/s', ...latencies(measured) });
}
bare.stop();
report({ what: 'raw: append of 100 bytes + fdatasync, one by one', value: appendsPerSecond(measureMs), unit: '/s' });
for (const batch of [1, 50, 500]) report({ what: `raw: SQLite's writer alone, ${batch} a commit`, value: rowsPerSecond(batch, measureMs), unit: '/s' });

let server = await BenchServer.start();
process.stderr.write('registering 500 people …\n');
const people = await server.people(500);
const sends = await measureSends(server, people, bareFigures, '');
const reads = await measureReads(server, people[1]!, '');
const fanOut = await measureFanOut(server, people, '');
server = await measureColdStart(server, people, '');
await measureMemory(server, people, '');
await server.stop(true);
server = await BenchServer.start(server.folder);

process.stderr.write(`storing ${many.toLocaleString('en')} messages …\n`);
const bytesBefore = server.bytesOnDisk;
await fill(server, people[0]!, many);
await server.stop(true);
server = await BenchServer.start(server.folder);
report({
  what: `bytes on disk per ${textBytes}-byte message (of ${many.toLocaleString('en')})`,
  value: (server.bytesOnDisk - bytesBefore) / many,
  unit: 'bytes',
});
const with_ = ` with ${many.toLocaleString('en')} stored`;
const sendsThen = await measureSends(server, people, bareFigures, with_);
const readsThen = await measureReads(server, people[1]!, with_);
const fanOutThen = await measureFanOut(server, people, with_);
server = await measureColdStart(server, people, with_);
await measureMemory(server, people, with_);
await server.stop();

for (const count of socketCounts) {
  report({ what: `slower with ${many.toLocaleString('en')} stored: sends, ${count} sockets`, value: sends.get(count)! / sendsThen.get(count)!, unit: 'x' });
}
report({ what: `slower with ${many.toLocaleString('en')} stored: history pages`, value: reads / readsThen, unit: 'x' });
report({ what: `slower with ${many.toLocaleString('en')} stored: deliveries`, value: fanOut / fanOutThen, unit: 'x' });
writeReport(resultsFile, { raised, textBytes, warmUpMs, measureMs });
