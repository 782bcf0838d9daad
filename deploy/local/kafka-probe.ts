import { connect } from 'node:net';

// One question to a Kafka broker in its own protocol, without a client that would keep connections and retry by itself: who else is there?

const metadataKey = 3;
const metadataVersion = 1;

/** The ids of the brokers that this one knows to be alive (Metadata v1, https://kafka.apache.org/protocol#The_Messages_Metadata). Rejects when it does not answer. */
export async function brokersSeenBy(address: string): Promise<number[]> {
  const answer = await ask(address, metadataRequest());
  let at = 4; // The correlation id.
  const int32 = (): number => {
    at += 4;
    return answer.readInt32BE(at - 4);
  };
  const skipString = (): void => {
    const length = answer.readInt16BE(at);
    at += 2 + Math.max(0, length);
  };
  const ids: number[] = [];
  for (let left = int32(); left > 0; left--) {
    ids.push(int32());
    skipString(); // host
    int32(); // port
    skipString(); // rack
  }
  return ids.sort((a, b) => a - b);
}

/** Asks for no topics: an empty list. */
function metadataRequest(): Buffer {
  const client = Buffer.from('probe');
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(metadataKey, 4);
  request.writeInt16BE(metadataVersion, 6);
  request.writeInt32BE(1, 8); // correlation id
  request.writeInt16BE(client.length, 12);
  client.copy(request, 14);
  return request;
}

const answerTimeoutMs = 2000;

/** Sends a request and resolves with the frame that comes back, without its length. */
function ask(address: string, request: Buffer): Promise<Buffer> {
  const [host = '', port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port) });
    let received = Buffer.alloc(0);
    socket.setTimeout(answerTimeoutMs, () => socket.destroy(new Error(`${address} does not answer`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${address} closed the connection`)));
    socket.on('connect', () => socket.write(request));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received.subarray(4));
      socket.destroy();
    });
  });
}
