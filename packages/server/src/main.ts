import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { compose, type Engines } from './compose.ts';
import { type Config, ConfigError, installationKeyOf, isCluster, printable, readConfig } from './config.ts';
import { installationKey } from './journal/command.ts';
import { createLogger, type Logger } from './logger.ts';
import { Node } from './node/node.ts';
import { Refusal } from './node/refusal.ts';
import { hashSecret } from './node/sessions.ts';
import { Vitals } from './node/vitals.ts';
import { serveAgent } from './transport/agent.ts';
import { createHttp } from './transport/http.ts';
import { Metrics } from './transport/metrics.ts';
import { createServices } from './transport/services.ts';
import { attachLive } from './transport/websocket.ts';

// The process: starts everything in order, says where it is, and on SIGTERM or SIGINT ends everything in the opposite order, losing nothing.

/** A running server. */
export interface Running {
  url: string;
  /** Where the first administrator is made; undefined once there is one. */
  adminLink: string | undefined;
  /** Rejects when the server cannot go on. */
  failed: Promise<never>;
  /** Ends it: unready first, then (after `drainMs`) no further commands, what is in flight finished, sockets told to reconnect. */
  stop(): Promise<void>;
}

const stopTimeoutMs = 9500;
const commandsMax = 20_000;

/** Starts a server and resolves when it answers. Whatever was begun is ended again when it cannot start. */
export async function startServer(config: Config, logger: Logger = createLogger(config)): Promise<Running> {
  const installation = installationKeyOf(config);
  const metrics = new Metrics();
  const engines = await compose(config, {
    observer: metrics,
    onTrouble: (message, cause) => logger.warn({ part: 'engines', ...(cause !== undefined && { err: cause }) }, message),
  });
  try {
    return await startOn(engines, config, installation, logger, metrics);
  } catch (error) {
    await engines.close();
    throw error;
  }
}

async function startOn(engines: Engines, config: Config, installationKey: Buffer, logger: Logger, metrics: Metrics): Promise<Running> {
  const node = new Node(engines.journal, engines.store, {
    nodeId: randomBytes(8).toString('hex'),
    commandTimeoutMs: config.commandTimeoutMs,
    commandsMax,
    clock: Date.now,
    answered: (key, elapsedMs) => metrics.answered(key, elapsedMs),
  });
  const vitals = new Vitals(node, commandsMax);
  metrics.watch(node, vitals);
  const services = createServices(node, { config, installationKey, logger, metrics, vitals });
  const http = await createHttp(services);
  const live = attachLive(http.server, services);
  await node.start();
  const adminSecret = await offerAdminLink(node, config);
  vitals.start();
  const url = await http.listen();
  let isDraining = false;
  const agent = config.agentPort === undefined ? undefined : await serveAgent(config.host, config.agentPort, vitals, () => isDraining);
  return {
    url,
    adminLink: adminSecret === undefined ? undefined : `${url}/first-admin/${adminSecret}`,
    failed: engines.failed,
    stop: async () => {
      http.drain();
      isDraining = true;
      await new Promise((resolve) => setTimeout(resolve, config.drainMs));
      await Promise.all([node.drain(), live.drain()]);
      await http.close();
      agent?.close();
      vitals.stop();
      await engines.close();
    },
  };
}

/** Until there is an administrator, each start offers a new link, and the ones before it end. Only its hash is stored. Resolves with its secret. */
async function offerAdminLink(node: Node, config: Config): Promise<string | undefined> {
  const [installation] = await node.store.rows([{ table: 'installation' }]);
  if (installation?.table === 'installation' && installation.admins.length > 0) return undefined;
  const secret = config.adminLinkSecret ?? randomBytes(24).toString('base64url');
  const outcome = await node.submit({ kind: 'set_admin_link', key: installationKey, linkHash: hashSecret(secret) });
  if (outcome instanceof Refusal)
    throw new Error('The administrator link could not be stored: the journal or the store did not answer in time. Start again when they do.');
  return outcome.results[0]?.refusal === undefined ? secret : undefined;
}

/** `parlance serve`: runs until a signal or a failure ends it, and exits: 0 after a signal, 1 after a failure, 2 for a wrong setting. */
export async function serve(argv: readonly string[]): Promise<void> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    process.stderr.write(`Parlance needs Node 24 or newer; this is ${process.version}. In a checkout, \`npm start\` brings the right one.\n`);
    process.exit(2);
  }
  let config: Config;
  try {
    config = readConfig(process.env, argv);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
  const logger = createLogger(config);
  logger.debug({ settings: printable(config) }, 'settings');
  let running: Running;
  try {
    running = await startServer(config, logger);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const sentence = code === 'EADDRINUSE' ? `Port ${config.port} is taken by another program: end that, or choose another with --port.` : message;
    process.stderr.write(`Parlance did not start. ${sentence}\n`);
    process.exit(1);
  }
  running.failed.catch((error) => {
    logger.error({ err: error }, 'the server cannot go on');
    process.exit(1);
  });
  let isStopping = false;
  const stop = (signal: string): void => {
    if (isStopping) process.exit(1); // A second signal: whoever sends it does not want to wait.
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('stopping took too long');
      process.exit(1);
    }, config.drainMs + stopTimeoutMs).unref();
    running.stop().then(
      () => process.exit(0),
      (error) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  setTimeout(collectGarbage, 3000).unref();
  announce(running, config); // Last: whoever reads it may send a signal at once.
}

/** Gives back what the start left behind, a tenth of all: V8 would keep it until there is a load. Node has no other way to ask. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}

function announce({ url, adminLink }: Running, config: Config): void {
  if (config.logJson) {
    process.stdout.write(`${JSON.stringify({ event: 'started', url, ...(adminLink !== undefined && { admin_link: adminLink }) })}\n`);
    return;
  }
  const where = isCluster(config) ? `one node of a cluster on ${config.kafkaBrokers} and ${config.cassandraContactPoints}` : `data in ${config.dataDir}`;
  process.stdout.write(`Parlance is up: ${url}   (${where}; Ctrl-C ends it)\n`);
  if (adminLink !== undefined) {
    process.stdout.write(`There is no administrator yet. Whoever opens this link while signed in becomes it, once:\n  ${adminLink}\n`);
  }
}
