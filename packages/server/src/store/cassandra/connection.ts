import { Client, type ClientOptions, errors, policies, types } from 'cassandra-driver';
import { StoreUnavailable } from '../port.ts';
import { definition, everywhere, migrate } from './migrations.ts';
import { type CassandraOptions, portOf } from './options.ts';
import { RetryAll } from './retry.ts';
import type { Columns } from './shape.ts';

// The connection to the cluster, and the only file that says how a statement is sent: prepared, at the consistency of the options, and repeatable. Opening it
// checks all that can be wrong with a cluster and says it in a sentence; the schema is brought up to date on the way.

/** A statement and its values. */
export interface Statement {
  query: string;
  values: unknown[];
}

/** When a node has said nothing for so long, another is asked the same, ms: a paused one answers later than the server's own timeout. */
const speculationMs = 1500;

/** Requests that share a round of the nodes may meet the same one again. */
const preparingTriesMax = 6;

export class Connection {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /** Connects, makes keyspace and tables if they are not there, and rejects with a sentence for an operator when something is missing or wrong. */
  static async open(options: CassandraOptions): Promise<Connection> {
    const deadline = performance.now() + agreementMs;
    for (;;) {
      try {
        return await Connection.#open(options);
      } catch (error) {
        // A replica that has not heard yet of a table just made fails what is asked of it; so it does when several nodes make the tables at once.
        if (!isNotHeardYet(error) || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, agreementPollMs));
      }
    }
  }

  static async #open(options: CassandraOptions): Promise<Connection> {
    const client = await connected(options);
    try {
      assertEnoughNodes(client, options);
      await assertReplication(client, options);
      await migrate(client, options.keyspace);
      return new Connection(client);
    } catch (error) {
      await client.shutdown();
      throw explained(error, options);
    }
  }

  /** All rows that a query answers; for those of which there are few. */
  async all(query: string, values: unknown[]): Promise<Columns[]> {
    return (await this.#ask(() => this.#client.execute(query, values))).rows;
  }

  async first(query: string, values: unknown[]): Promise<Columns | undefined> {
    return (await this.all(query, values))[0];
  }

  /** One page of a query's rows and how to get the next; `next` is undefined after the last. */
  async page(query: string, values: unknown[], rows: number, next?: string): Promise<{ rows: Columns[]; next: string | undefined }> {
    const result = await this.#ask(() => this.#client.execute(query, values, { fetchSize: rows, ...(next === undefined ? {} : { pageState: next }) }));
    return { rows: result.rows, next: result.pageState ?? undefined };
  }

  /** Writes rows of one partition as one mutation: all of them or none, at each replica. */
  async write(statements: readonly Statement[]): Promise<void> {
    const [only] = statements;
    await this.#ask(() =>
      statements.length === 1
        ? this.#client.execute(only!.query, only!.values)
        : this.#client.batch(
            statements.map(({ query, values }) => ({ query, params: values })),
            { logged: false },
          ),
    );
  }

  /**
   * A statement that was never used is prepared first, and for that the driver takes one node and gives up when it has no connection to it just then. Each
   * further try begins with the next node. Rejects with `StoreUnavailable` when too few nodes answer.
   */
  async #ask<T>(request: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await request();
      } catch (error) {
        if (hadNoConnection(error) && tries < preparingTriesMax) continue;
        throw isOfTheCluster(error) ? new StoreUnavailable((error as Error).message, { cause: error }) : error;
      }
    }
  }

  async close(): Promise<void> {
    await this.#client.shutdown();
  }
}

function clientOptions({
  contactPoints,
  dataCenter,
  consistency = 'LOCAL_QUORUM',
  tls,
  credentials,
  requestTimeoutMs = 5000,
}: CassandraOptions): ClientOptions {
  const levels = { LOCAL_QUORUM: types.consistencies.localQuorum, QUORUM: types.consistencies.quorum, ALL: types.consistencies.all };
  return {
    contactPoints: [...contactPoints],
    // Or the driver would look for the nodes that it is told of at 9042.
    protocolOptions: { port: portOf({ contactPoints }) },
    localDataCenter: dataCenter,
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { sslOptions: { ...tls, rejectUnauthorized: true } }),
    queryOptions: { prepare: true, isIdempotent: true, consistency: levels[consistency] },
    // A node that does not know a statement says so and is told: most know it from the other processes.
    prepareOnAllHosts: false,
    socketOptions: { readTimeout: requestTimeoutMs },
    policies: {
      retry: new RetryAll(),
      speculativeExecution: new policies.speculativeExecution.ConstantSpeculativeExecutionPolicy(speculationMs, 1),
      reconnection: new policies.reconnection.ExponentialReconnectionPolicy(250, 5000),
    },
  };
}

async function connected(options: CassandraOptions): Promise<Client> {
  try {
    return await connectTo(options);
  } catch (error) {
    if (!isMissingKeyspace(error)) throw explained(error, options);
  }
  try {
    await createKeyspace(options);
    return await connectTo(options);
  } catch (error) {
    throw explained(error, options);
  }
}

async function connectTo(options: CassandraOptions): Promise<Client> {
  const client = new Client({ ...clientOptions(options), keyspace: options.keyspace });
  refreshOneAtATime(client);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.shutdown();
    throw error;
  }
}

/**
 * When the lines to all nodes break, the driver (4.10.0) may look for a new control connection twice at the same time; each takes away what the other had, and one
 * ends in a rejection that nobody hears, which would end the process: https://issues.apache.org/jira/browse/NODEJS-681.
 */
function refreshOneAtATime(client: Client): void {
  const { controlConnection } = client as unknown as { controlConnection: { _refresh(hosts?: Iterator<unknown>): Promise<void> } };
  const refresh = controlConnection._refresh.bind(controlConnection);
  let isUnderWay = false;
  controlConnection._refresh = async (hosts) => {
    // With the hosts that are left to be tried it is the one under way that goes on.
    if (hosts !== undefined) return await refresh(hosts);
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      await refresh();
    } finally {
      isUnderWay = false;
    }
  };
}

/** Safe to do at the same time on several nodes: the statement is the same wherever it is given. */
async function createKeyspace(options: CassandraOptions): Promise<void> {
  const { keyspace, dataCenter, replicationFactor = 3 } = options;
  const client = new Client(clientOptions(options));
  try {
    await client.connect();
    assertEnoughNodes(client, options);
    await client.execute(
      `CREATE KEYSPACE IF NOT EXISTS ${keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${dataCenter.replaceAll("'", "''")}': ${replicationFactor}}`,
      [],
      definition,
    );
    await everywhere(client, 'SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?', keyspace);
  } finally {
    await client.shutdown();
  }
}

async function assertReplication(client: Client, { keyspace, dataCenter, replicationFactor = 3 }: CassandraOptions): Promise<void> {
  const { rows } = await client.execute('SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?', [keyspace]);
  const { class: strategy, ...copies } = (rows[0]?.replication ?? {}) as Record<string, string>;
  if (!strategy?.endsWith('NetworkTopologyStrategy') || copies[dataCenter] !== String(replicationFactor)) {
    throw new Error(
      `The keyspace ${keyspace} is replicated otherwise than set: it has ${JSON.stringify({ ...copies, class: strategy?.split('.').at(-1) })}, and should be a ` +
        `NetworkTopologyStrategy with ${replicationFactor} in ${dataCenter}. Change the setting, or the keyspace with ALTER KEYSPACE and a repair.`,
    );
  }
}

function assertEnoughNodes(client: Client, { dataCenter, replicationFactor = 3 }: CassandraOptions): void {
  const nodes = [...client.hosts.values()].filter((host) => host.datacenter === dataCenter).length;
  if (nodes >= replicationFactor) return;
  throw new Error(
    `The data centre ${dataCenter} has ${nodes} Cassandra nodes, too few for ${replicationFactor} copies of every row. Add nodes, or set a lower replication factor.`,
  );
}

// ── what is wrong, in a sentence ──

const isMissingKeyspace = (error: unknown): boolean => causes(error).some((one) => /Keyspace '.*' does not exist/.test(one.message));

/** How long all Cassandra nodes may take to hear of what one of them was told to make, ms. */
const agreementMs = 60_000;
const agreementPollMs = 500;

/** What the driver throws, as a plain error, before it has sent anything. */
const hadNoConnection = (error: unknown): boolean => error instanceof errors.BusyConnectionError || (error as Error).message === 'No connection available';

/** How the driver marks its error, a plain one, when a connection broke: it comes out when those to several nodes did, one try after the other. */
const hadItBroken = (error: unknown): boolean => (error as { isSocketError?: boolean }).isSocketError === true;

/** Whether an error says how the cluster is, and not that something is wrong with what was asked. */
function isOfTheCluster(error: unknown): boolean {
  if (hadNoConnection(error) || hadItBroken(error) || error instanceof errors.NoHostAvailableError || error instanceof errors.OperationTimedOutError)
    return true;
  return error instanceof errors.ResponseError && clusterCodes.has(error.code);
}

const { responseErrorCodes: codes } = types;
const clusterCodes = new Set([
  ...[codes.unavailableException, codes.overloaded, codes.isBootstrapping],
  ...[codes.readTimeout, codes.writeTimeout, codes.readFailure, codes.writeFailure],
]);

/** What a server says of a table that it has not heard of, or has heard of and not got ready yet: the last when a table is given with its id. */
const noSuchTable = /does not exist|unconfigured table|Unknown CF/i;

function isNotHeardYet(error: unknown): boolean {
  const { readFailure, writeFailure } = types.responseErrorCodes;
  return [...causes(error), ...causes((error as Error).cause)].some(
    (one) => one instanceof errors.ResponseError && (one.code === readFailure || one.code === writeFailure || noSuchTable.test(one.message)),
  );
}

/** An error and those of the single nodes within it. */
function causes(error: unknown): Error[] {
  const inner = error instanceof errors.NoHostAvailableError ? Object.values((error.innerErrors ?? {}) as Record<string, Error>) : [];
  return [error as Error, ...inner];
}

function explained(error: unknown, { contactPoints, dataCenter, replicationFactor = 3 }: CassandraOptions): Error {
  const all = causes(error);
  const sentence = (text: string): Error => new Error(text, { cause: error });
  const where = contactPoints.join(', ');
  if (all.some((one) => one instanceof errors.AuthenticationError || /[Aa]uthentication/.test(one.message))) {
    return sentence(`Cassandra at ${where} does not accept the user name and password that are set, or wants some and none are set.`);
  }
  const otherCenters = all
    .map((one) => /(?:Available DCs are|only found hosts in data centers): \[(.*)\]/.exec(one.message)?.[1])
    .find((one) => one !== undefined);
  if (otherCenters !== undefined) return sentence(`There is no data centre ${dataCenter} in the Cassandra cluster at ${where}; there is: ${otherCenters}.`);
  const unavailable = all.find((one) => one instanceof errors.ResponseError && one.code === types.responseErrorCodes.unavailableException) as
    | { alive?: number; required?: number }
    | undefined;
  if (unavailable !== undefined) {
    return sentence(
      `Too few Cassandra nodes are up: of the ${replicationFactor} copies of a row ${unavailable.alive} can be reached, and ${unavailable.required} are needed. Start the others.`,
    );
  }
  const tls = all.find((one) => /certificate|SSL|TLS|self.signed/i.test(one.message));
  if (tls !== undefined) return sentence(`The encrypted connection to Cassandra at ${where} failed: ${tls.message}.`);
  if (error instanceof errors.NoHostAvailableError) {
    const reasons = [...new Set(all.slice(1).map((one) => one.message))].join('; ');
    return sentence(`No Cassandra node can be reached at ${where}${reasons === '' ? '' : ` (${reasons})`}. Start Cassandra, or set where it is.`);
  }
  return error as Error;
}
