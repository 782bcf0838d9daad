import { connect, type Socket } from 'node:net';

// One query to a Cassandra node in its own protocol (CQL binary protocol v4), without a driver that would find the other nodes and ask them instead.

const opcodes = { error: 0x00, startup: 0x01, query: 0x07, result: 0x08 } as const;
const consistencies = { ONE: 0x0001, ALL: 0x0005 } as const;

/** Has one node coordinate a query. Resolves when it has answered it, and rejects with its error, or because it does not answer. */
export async function queryOn(address: string, cql: string, consistency: keyof typeof consistencies): Promise<void> {
  const [host = '', port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  try {
    await send(socket, opcodes.startup, startupBody());
    await send(socket, opcodes.query, queryBody(cql, consistencies[consistency]));
  } finally {
    socket.destroy();
  }
}

/** A string map of one entry. */
const startupBody = (): Buffer => Buffer.concat([short(1), string('CQL_VERSION'), string('3.0.0')]);

function queryBody(cql: string, consistency: number): Buffer {
  const text = Buffer.from(cql);
  const length = Buffer.alloc(4);
  length.writeInt32BE(text.length);
  return Buffer.concat([length, text, short(consistency), Buffer.from([0])]);
}

function short(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

const string = (text: string): Buffer => Buffer.concat([short(Buffer.byteLength(text)), Buffer.from(text)]);

const answerTimeoutMs = 4000;
const headerBytes = 9;

/** Sends a frame and resolves when one that is not an error has come back. */
function send(socket: Socket, opcode: number, body: Buffer): Promise<void> {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(4, 0); // the version; flags and stream stay 0
  header.writeUInt8(opcode, 4);
  header.writeInt32BE(body.length, 5);
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < headerBytes || received.length < headerBytes + received.readInt32BE(5)) return;
      socket.off('data', onData);
      // An error's body: a code, then its sentence.
      if (received.readUInt8(4) === opcodes.error) reject(new Error(received.subarray(headerBytes + 6).toString()));
      else resolve();
    };
    socket.setTimeout(answerTimeoutMs, () => reject(new Error('it does not answer')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('it closed the connection')));
    socket.on('data', onData);
    socket.write(Buffer.concat([header, body]));
  });
}
