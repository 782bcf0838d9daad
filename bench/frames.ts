import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

// A WebSocket client for load: it frames what it sends and finds the bounds of what it gets, and parses nothing. A real client library would take as
// much of the two cores as the server, and the figure would be of both.

export interface RawSocket {
  /** One text frame, masked with zeros (the mask must be there, RFC 6455 5.3; zeros spare the work). */
  send(text: string): void;
  close(): void;
}

/** Opens a WebSocket at `ws://127.0.0.1:port/path`; `onFrame` is called with the bytes of each text frame. Resolves after the upgrade. */
export function openRaw(port: number, path: string, token: string | undefined, onFrame: (payload: Buffer) => void, onClose: () => void): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let rest: Buffer = Buffer.alloc(0);
    let isOpen = false;
    socket.on('error', reject);
    socket.on('close', onClose);
    socket.on('connect', () => {
      const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${authorization}` +
          `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      );
    });
    socket.on('data', (chunk) => {
      let data: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!isOpen) {
        const end = data.indexOf('\r\n\r\n');
        if (end === -1) {
          rest = data;
          return;
        }
        const status = data.toString('latin1', 9, 12);
        if (status !== '101') {
          reject(new Error(`upgrade refused: ${data.toString('latin1', 0, end)}`));
          socket.destroy();
          return;
        }
        isOpen = true;
        data = data.subarray(end + 4);
        resolve({ send: (text) => socket.write(frameOf(text)), close: () => socket.destroy() });
      }
      rest = scan(data, onFrame, socket);
    });
  });
}

/** Calls `onFrame` for each whole text frame, answers pings, and returns what is left. Server frames are unmasked and not fragmented. */
function scan(data: Buffer, onFrame: (payload: Buffer) => void, socket: Socket): Buffer {
  let offset = 0;
  while (data.length - offset >= 2) {
    const opcode = data[offset]! & 0x0f;
    let length = data[offset + 1]! & 0x7f;
    let header = 2;
    if (length === 126) {
      if (data.length - offset < 4) break;
      length = data.readUInt16BE(offset + 2);
      header = 4;
    } else if (length === 127) {
      if (data.length - offset < 10) break;
      length = Number(data.readBigUInt64BE(offset + 2));
      header = 10;
    }
    if (data.length - offset < header + length) break;
    const payload = data.subarray(offset + header, offset + header + length);
    if (opcode === 1) onFrame(payload);
    else if (opcode === 9) socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | length, 0, 0, 0, 0]), payload]));
    else if (opcode === 8) socket.end();
    offset += header + length;
  }
  return offset === data.length ? empty : data.subarray(offset);
}

const empty = Buffer.alloc(0);

function frameOf(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const header = bytes < 126 ? 2 : 4;
  const frame = Buffer.allocUnsafe(header + 4 + bytes);
  frame[0] = 0x81;
  if (bytes < 126) frame[1] = 0x80 | bytes;
  else {
    frame[1] = 0x80 | 126;
    frame.writeUInt16BE(bytes, 2);
  }
  frame.fill(0, header, header + 4);
  frame.write(text, header + 4);
  return frame;
}
