import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

// The raw limit of the transport: `ws` alone, no store, no parsing. What comes from a socket goes back to it and to its partner: three frames a message, as
// a sent message makes in Parlance.

const server = createServer();
const sockets: import('ws').WebSocket[] = [];
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  const index = sockets.push(socket) - 1;
  socket.on('message', (data) => {
    const frame = data.toString();
    socket.send(frame);
    const partner = sockets[index ^ 1];
    if (partner !== undefined && partner.readyState === partner.OPEN) partner.send(frame);
  });
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as import('node:net').AddressInfo).port }));
