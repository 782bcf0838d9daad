import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { type Call, type CallName, callNames, calls } from '@parlance/schema/calls';
import { type Code, problems } from '@parlance/schema/errors';
import * as limits from '@parlance/schema/limits';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ConfigError, proxiesOf } from '../config.ts';
import { Refusal } from '../node/refusal.ts';
import { addressOf } from './address.ts';
import { BadBody, parseBody } from './body.ts';
import type { CallContext, HandlerInput, Services } from './context.ts';
import { credentialsOf, isOwnOrigin, noCookie, sessionCookie } from './credentials.ts';
import { refusalOfFailure } from './failure.ts';
import { inputOf } from './input.ts';
import { addPages } from './pages.ts';
import { admit, count, run } from './perform.ts';
import { problemOf } from './problem.ts';
import type { Left } from './rate-limit.ts';
import { validate } from './validate.ts';
import { addWebApp, readWebApp, webFolder } from './web.ts';

// The bytes of HTTP: addresses, headers, bodies, cookies and limits, and the one point where answers, refusals and faults become responses. What the
// calls mean is behind `perform.ts`. A fault shows its request id and nothing else.

/** The HTTP side of a server. */
export interface Http {
  /** The raw server, for live sockets to take its upgrade requests. */
  readonly server: Server;
  /** Begins to listen; resolves with the address to use. Rejects when the port is taken. */
  listen(): Promise<string>;
  /** From now on /readyz answers 503 and connections close after their next answer; everything else goes on. */
  drain(): void;
  /** Stops listening; resolves when the requests under way are answered. Upgraded sockets are closed by their owner, before. */
  close(): Promise<void>;
}

const headersTimeoutMs = 10_000;
const keepAliveTimeoutMs = 75_000;

const commonHeaders = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' };
const apiHeaders = { ...commonHeaders, 'content-security-policy': "default-src 'none'; frame-ancestors 'none'" };

/** What the framework calls its own refusals. */
const frameworkCodes: Record<string, Code> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_BAD_URL: 'invalid_request',
};

declare module 'fastify' {
  interface FastifyRequest {
    call: { name: CallName; context: CallContext } | undefined;
  }
}

/** What pages and the classic contract need of the HTTP side to add addresses of their own. */
export interface Site {
  app: FastifyInstance;
  services: Services;
  isDraining(): boolean;
  /** Who makes the request; refuses a cookie used from a foreign page. */
  contextOf(request: FastifyRequest): Promise<CallContext | Refusal>;
  refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal, clientId?: string): FastifyReply;
  /** The refusal that an error stands for; a fault is logged and is `internal`. */
  refusalOf(error: Error, request: FastifyRequest): Refusal;
}

/** Builds the HTTP side. Nothing listens yet. Throws ConfigError when the TLS files cannot be used. */
export async function createHttp(services: Services): Promise<Http> {
  const { config, logger } = services;
  const requestIds = newRequestIds();
  const proxies = proxiesOf(config);
  let isDraining = false;

  const app = fastify({
    ...tlsOf(services),
    logger: false,
    genReqId: requestIds,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    return503OnClosing: false,
    // The query is read strictly by `input.ts`; a parameter of any length gets the answer its call gives, not a 404.
    routerOptions: { querystringParser: () => ({}), maxParamLength: 16_384 },
    frameworkErrors: (error, request, reply) =>
      void refuse(request as FastifyRequest, reply as unknown as FastifyReply, refusalOf(error as Error, request as FastifyRequest)),
    clientErrorHandler: (error, socket) => answerClientError(error.code, socket, requestIds()),
  }) as unknown as FastifyInstance;
  app.server.headersTimeout = Math.min(headersTimeoutMs, config.requestTimeoutMs);
  app.decorateRequest('call', undefined);

  const routes: { method: string; pattern: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/[.*]/g, '\\$&').replace(/:\w+/g, '[^/]+')}$`);
    for (const one of [method].flat()) routes.push({ method: one, pattern });
  });

  const contextOf = async (request: FastifyRequest): Promise<CallContext | Refusal> => {
    const { headers } = request;
    const credentials = credentialsOf(headers, config);
    const isSafe = request.method === 'GET' || request.method === 'HEAD';
    // A log-in or registration without any cookie counts too: a foreign page could sign people in to an account of its own.
    const isBrowserOnly = credentials?.from !== 'bearer';
    if (!isSafe && isBrowserOnly && !isOwnOrigin(headers, config)) return new Refusal('origin_refused');
    const caller = credentials === undefined ? undefined : await services.sessions.authenticate(credentials.token);
    const userAgent = (headers['user-agent'] ?? '').replace(/[^ -~]/g, '').slice(0, 256);
    return { ...services, caller, address: addressOf(request.raw, proxies), userAgent, requestId: request.id };
  };

  const send = (reply: FastifyReply, status: number, contentType: string, body: string): FastifyReply => {
    // As bytes: Node writes a long string to a socket ten times slower than it makes a buffer of it.
    return reply.code(status).header('content-type', contentType).send(Buffer.from(body));
  };

  const refuse = (request: FastifyRequest, reply: FastifyReply, refusal: Refusal, clientId?: string): FastifyReply => {
    const { status } = problems[refusal.code];
    // Once more than the hook does it: what the framework refuses itself never comes by the hook.
    reply.headers(apiHeaders).header('x-request-id', request.id);
    if (request.call !== undefined) count(services, request.call.name, refusal);
    else services.metrics.refused(refusal.code);
    if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS));
    if (status === 401) reply.header('www-authenticate', 'Bearer');
    return send(reply, status, 'application/problem+json', JSON.stringify(problemOf(refusal, request.id, clientId)));
  };

  const refusalOf = (error: Error & { code?: string; statusCode?: number }, request: FastifyRequest): Refusal => {
    if (error instanceof BadBody) return error.refusal;
    const code = error.code === undefined ? undefined : frameworkCodes[error.code];
    if (code !== undefined) return new Refusal(code);
    if (error.statusCode !== undefined && error.statusCode < 500) return new Refusal('invalid_request', { detail: 'The request is not valid HTTP.' });
    return refusalOfFailure(error, { logger, requestId: request.id }, request.call?.name);
  };

  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(apiHeaders);
    reply.header('x-request-id', request.id);
    if (isDraining) reply.header('connection', 'close');
    done();
  });
  app.setErrorHandler((error, request, reply) => {
    // The framework closes the connection when a body is not taken. Whoever is still sending would be reset and might never see the answer: read on, and keep it.
    if (!isDraining) reply.removeHeader('connection');
    return refuse(request, reply, refusalOf(error as Error, request));
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, parseBody(request.headers['content-type'], body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });

  const addCall = (name: CallName): void => {
    const call: Call = calls[name];
    app.route({
      method: call.method,
      url: call.path.replace(/\{(\w+)\}/g, ':$1'),
      bodyLimit: call.bodyBytesMax ?? limits.bodyBytesMax,
      // Who may not make the call is told so before any of the body is read.
      onRequest: async (request, reply) => {
        const context = await contextOf(request);
        const refusal = context instanceof Refusal ? context : await admit(name, context, (left) => addLimit(reply, services, left));
        if (context instanceof Refusal || refusal !== undefined) return refuse(request, reply, refusal!);
        request.call = { name, context };
      },
      handler: async (request, reply) => {
        const { context } = request.call!;
        const given = inputOf(name, {
          path: request.params as Record<string, string>,
          query: queryOf(request.raw),
          body: request.body,
          idempotencyKey: headerOf(request, 'idempotency-key'),
          now: services.node.time(),
        });
        if (given instanceof Refusal) return refuse(request, reply, given);
        const clientId = call.write === true && typeof given.client_id === 'string' ? given.client_id : undefined;
        const input = validate(name, given);
        if (input instanceof Refusal) return refuse(request, reply, input, input.field === 'client_id' ? undefined : clientId);
        if (call.stream === true) return stream(name, request, reply, context, input as HandlerInput<typeof name>);
        const answer = await run(name, context, input as HandlerInput<typeof name>);
        if (answer instanceof Refusal) return refuse(request, reply, answer, clientId);
        count(services, name, undefined);
        addCookie(name, answer, reply);
        const status = call.status ?? 200;
        return status === 204 ? reply.code(204).send() : send(reply, status, 'application/json', JSON.stringify(answer));
      },
    });
  };

  const addCookie = (name: CallName, answer: unknown, reply: FastifyReply): void => {
    if (name === 'log_in') reply.header('set-cookie', sessionCookie((answer as { token: string }).token, config));
    else if (name === 'log_out') reply.header('set-cookie', noCookie(config));
  };

  /** An answer in JSON lines: how far it is, and at last the answer, or the problem that ended it. */
  const stream = async (
    name: CallName,
    request: FastifyRequest,
    reply: FastifyReply,
    context: CallContext,
    input: HandlerInput<CallName>,
  ): Promise<FastifyReply> => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { ...apiHeaders, 'x-request-id': request.id, 'content-type': 'application/jsonl' });
    const line = (value: unknown): void => void raw.write(`${JSON.stringify(value)}\n`);
    const answer = await run(name, { ...context, progress: (rows) => line({ rows }) }, input).catch((error: Error) => refusalOf(error, request));
    count(services, name, answer instanceof Refusal ? answer : undefined);
    line(answer instanceof Refusal ? problemOf(answer, request.id) : answer);
    raw.end();
    return reply;
  };

  for (const name of callNames) addCall(name);
  app.get('/v1/live', (request, reply) => {
    reply.header('upgrade', 'websocket').header('connection', 'upgrade');
    return refuse(request, reply, new Refusal('upgrade_required'));
  });
  addPages({ app, services, isDraining: () => isDraining, contextOf, refuse, refusalOf });
  const answerAsWebApp = addWebApp(app, readWebApp(webFolder), (headers) => credentialsOf(headers, config)?.from === 'cookie');
  app.setNotFoundHandler((request, reply) => {
    if (answerAsWebApp(request, reply)) return reply;
    const path = request.raw.url!.split('?')[0]!;
    const allowed = [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
    if (allowed.length === 0) return refuse(request, reply, new Refusal('not_found'));
    reply.header('allow', allowed.join(', '));
    return refuse(request, reply, new Refusal('method_not_allowed'));
  });
  await app.ready();

  return {
    server: app.server,
    async listen() {
      await app.listen({ host: config.host, port: config.port });
      const { port } = app.server.address() as { port: number };
      const host = config.host.includes(':') ? `[${config.host}]` : config.host;
      return config.publicUrl ?? `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}`;
    },
    drain() {
      isDraining = true;
    },
    close: () => app.close(),
  };
}

function tlsOf({ config }: Services): object {
  // How often Node looks for requests that take too long: often enough that the time set means something.
  const options = { connectionsCheckingInterval: Math.min(1000, config.requestTimeoutMs) };
  if (config.tlsCert === undefined || config.tlsKey === undefined) return { http: options };
  try {
    return { https: { ...options, cert: readFileSync(config.tlsCert), key: readFileSync(config.tlsKey) } };
  } catch (error) {
    throw new ConfigError('The TLS files cannot be read: check PARLANCE_TLS_CERT and PARLANCE_TLS_KEY, and who owns the files.', { cause: error });
  }
}

/** Ids of requests: unique among running nodes, and cheap. Never taken from the client, whose id would end up in the logs. */
function newRequestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}

/** What is left of a person's writes (draft-ietf-httpapi-ratelimit-headers). */
function addLimit(reply: FastifyReply, { limits: { writes } }: Services, { remaining, resetS }: Left): void {
  const { burst, refillMs } = writes.quota;
  reply.header('ratelimit-policy', `"writes";q=${burst};w=${Math.max(1, Math.ceil((burst * refillMs) / 1000))}`);
  reply.header('ratelimit', `"writes";r=${remaining};t=${resetS}`);
}

function queryOf({ url = '' }: IncomingMessage): string {
  const at = url.indexOf('?');
  return at < 0 ? '' : url.slice(at + 1);
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}

/** Answers what is no HTTP, or came too slowly, on a connection that has no request to answer. */
function answerClientError(code: string | undefined, socket: Socket, requestId: string): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const refusal = new Refusal(
    code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'invalid_request',
  );
  const body = JSON.stringify(problemOf(refusal, requestId));
  const { status, title } = problems[refusal.code];
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nX-Request-Id: ${requestId}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
