import { killAndWait, raisedLimits, removeFolders, startServerProcess } from '../support/server-process.ts';
import { protocolConformance } from './protocol.ts';

// The protocol on the embedded engines: the process people run. The queue of a socket is as small as it may be, so that a slow reader is soon cut.

protocolConformance('embedded', async () => {
  const flags = [...raisedLimits, '--socket-queue-bytes=65536'];
  let server = await startServerProcess({ flags });
  return {
    url: server.url,
    async restart() {
      await killAndWait(server);
      server = await startServerProcess({ dataDir: server.dataDir, flags });
      return server.url;
    },
    async stop() {
      await killAndWait(server);
      await removeFolders();
    },
  };
});
