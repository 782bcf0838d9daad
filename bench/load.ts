import type { Histogram } from 'hdr-histogram-js';
import { openRaw, type RawSocket } from './frames.ts';
import { type Latencies, latenciesIn, newHistogram } from './histogram.ts';

// The load: a process of its own, told by one message what to do, answering with one message what it measured. Each socket sends its next
// message when the ack of the last has come (its own event), as people and the SDK do; so the load is as many writes at once as sockets.

export interface Person {
  userId: string;
  token: string;
}

export interface SendLoad {
  kind: 'send';
  port: number;
  path: string;
  /** Sockets; every two are a pair that write to each other. One alone writes to itself. */
  people: Person[];
  warmUpMs: number;
  measureMs: number;
  textBytes: number;
  /** The bare echo: frames without hello and conversation. */
  isBare?: boolean;
}

export interface FanOutLoad {
  kind: 'fan_out';
  port: number;
  path: string;
  sender: Person;
  receivers: Person[];
  conversation: string;
  warmUpMs: number;
  measureMs: number;
  textBytes: number;
}

export interface IdleLoad {
  kind: 'idle';
  port: number;
  path: string;
  people: Person[];
  sockets: number;
}

export type Load = SendLoad | FanOutLoad | IdleLoad;

/** The latencies are from send to ack. */
export interface Measured extends Latencies {
  /** Acked sends, or frames delivered, a second. */
  perSecond: number;
  /** All frames that came in, a second. */
  framesPerSecond: number;
}

/** Of a whole process of a load, its opening of sockets included. */
export interface Used {
  cpuSeconds: number;
}

const clientIdMark = Buffer.from('"client_id":"');
const refusalMark = Buffer.from('{"type":"refusal"');
const eventMark = Buffer.from('{"type":"event"');

process.on('message', (load: Load) => {
  const run = load.kind === 'send' ? send(load) : load.kind === 'fan_out' ? fanOut(load) : idle(load);
  run.then(
    (measured) => {
      const { user, system } = process.cpuUsage();
      process.send!({ ...measured, cpuSeconds: (user + system) / 1e6 } satisfies Measured & Used);
    },
    (error: Error) => process.send!({ error: error.message }),
  );
});

/** What a socket's frames say about its own write: a number that rises, in the client_id, tells its ack from the partner's events. */
class Writer {
  readonly #me: string;
  readonly #frame: (clientId: string) => string;
  readonly #histogram: Histogram;
  #socket: RawSocket | undefined;
  #count = 0;
  /** Undefined before the first: what comes then are acks of an earlier run, whose sockets are gone. */
  #expected: Buffer | undefined;
  #sentAt = 0;
  acked = 0;
  isMeasuring = false;
  isStopped = false;

  constructor(me: string, frame: (clientId: string) => string, histogram: Histogram) {
    this.#me = me;
    this.#frame = frame;
    this.#histogram = histogram;
  }

  begin(socket: RawSocket): void {
    this.#socket = socket;
    this.#next();
  }

  #next(): void {
    if (this.isStopped) return;
    const clientId = uuidV7(this.#me, this.#count++);
    this.#expected = Buffer.from(clientId);
    this.#sentAt = performance.now();
    this.#socket!.send(this.#frame(clientId));
  }

  frame(payload: Buffer): void {
    if (payload.compare(refusalMark, 0, refusalMark.length, 0, refusalMark.length) === 0) throw new Error(`refused: ${payload.toString()}`);
    if (this.#expected === undefined) return;
    // The client_id stands at the end of every event.
    const at = payload.lastIndexOf(clientIdMark);
    if (at === -1) return;
    const start = at + clientIdMark.length;
    if (payload.compare(this.#expected, 0, 36, start, start + 36) !== 0) return;
    if (this.isMeasuring) {
      this.acked += 1;
      this.#histogram.recordValue(Math.round((performance.now() - this.#sentAt) * 1000));
    }
    this.#next();
  }
}

async function send({ port, path, people, warmUpMs, measureMs, textBytes, isBare }: SendLoad): Promise<Measured> {
  const histogram = newHistogram();
  const text = 'x'.repeat(textBytes);
  let frames = 0;
  const writers = people.map((person, index) => {
    const partner = people[index ^ 1] ?? person;
    return new Writer(
      String(index),
      (clientId) => `{"type":"send_message","conversation":"@${partner.userId}","client_id":"${clientId}","text":"${text}"}`,
      histogram,
    );
  });
  const sockets: RawSocket[] = [];
  for (const [index, person] of people.entries()) {
    sockets.push(
      await openGreeted(port, path, isBare ? undefined : person.token, (payload) => {
        frames += 1;
        writers[index]!.frame(payload);
      }),
    );
  }
  for (const [index, writer] of writers.entries()) writer.begin(sockets[index]!);
  await sleep(warmUpMs);
  for (const writer of writers) writer.isMeasuring = true;
  const framesBefore = frames;
  const began = performance.now();
  await sleep(measureMs);
  const seconds = (performance.now() - began) / 1000;
  for (const writer of writers) writer.isStopped = true;
  const acked = writers.reduce((sum, writer) => sum + writer.acked, 0);
  const framesIn = frames - framesBefore;
  for (const socket of sockets) socket.close();
  return { perSecond: acked / seconds, framesPerSecond: framesIn / seconds, ...latenciesIn(histogram) };
}

// One sender, as fast as its acks come; every receiver gets every message. Latency is from send to the last receiver's frame.
async function fanOut({ port, path, sender, receivers, conversation, warmUpMs, measureMs, textBytes }: FanOutLoad): Promise<Measured> {
  const histogram = newHistogram();
  const text = 'x'.repeat(textBytes);
  const sockets: RawSocket[] = [];
  let delivered = 0;
  let waitingFor = 0;
  let count = 0;
  let sentAt = 0;
  let isMeasuring = false;
  let isStopped = false;
  const next = () => {
    if (isStopped) return;
    waitingFor = receivers.length + 1;
    sentAt = performance.now();
    sockets[0]!.send(`{"type":"send_message","conversation":"${conversation}","client_id":"${uuidV7('f', count++)}","text":"${text}"}`);
  };
  const onFrame = (payload: Buffer) => {
    if (payload.compare(eventMark, 0, eventMark.length, 0, eventMark.length) !== 0) return;
    delivered += 1;
    waitingFor -= 1;
    if (waitingFor > 0) return;
    if (isMeasuring) histogram.recordValue(Math.round((performance.now() - sentAt) * 1000));
    next();
  };
  for (const person of [sender, ...receivers]) sockets.push(await openGreeted(port, path, person.token, onFrame));
  next();
  await sleep(warmUpMs);
  isMeasuring = true;
  const before = delivered;
  const began = performance.now();
  await sleep(measureMs);
  const seconds = (performance.now() - began) / 1000;
  isStopped = true;
  const perSecond = (delivered - before) / seconds;
  for (const socket of sockets) socket.close();
  return { perSecond, framesPerSecond: perSecond, ...latenciesIn(histogram) };
}

/** Opens the sockets and keeps them until the process ends. */
async function idle({ port, path, people, sockets }: IdleLoad): Promise<Measured> {
  for (let index = 0; index < sockets; index++) await openGreeted(port, path, people[index % people.length]!.token, () => undefined);
  return { perSecond: sockets, framesPerSecond: 0, p50: 0, p99: 0, p999: 0 };
}

/** Opens a socket and says hello; resolves when it is caught up. Without a token, for the bare echo, at once. */
function openGreeted(port: number, path: string, token: string | undefined, onFrame: (payload: Buffer) => void): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    let isCaughtUp = token === undefined;
    let socket: RawSocket;
    const receive = (payload: Buffer) => {
      if (isCaughtUp) onFrame(payload);
      else if (payload.includes('{"type":"caught_up"}')) {
        isCaughtUp = true;
        resolve(socket);
      }
    };
    openRaw(port, path, token, receive, () => undefined).then((opened) => {
      socket = opened;
      if (isCaughtUp) resolve(socket);
      else socket.send('{"type":"hello"}');
    }, reject);
  });
}

/** A UUIDv7 of now, unique by socket and count. */
function uuidV7(socket: string, count: number): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const unique = `${socket.padStart(4, '0').replace(/[^0-9a-f]/g, '0')}${count.toString(16).padStart(8, '0')}`;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${process.pid.toString(16).padStart(3, '0').slice(-3)}-8000-${unique}`;
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
