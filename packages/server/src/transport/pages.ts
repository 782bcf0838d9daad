import { asyncApi } from '@parlance/schema/asyncapi';
import { problems } from '@parlance/schema/errors';
import { openApi } from '@parlance/schema/openapi';
import type { FastifyReply } from 'fastify';
import { isLoopback } from '../config.ts';
import { Refusal } from '../node/refusal.ts';
import { addClassic } from './classic.ts';
import { docsPage, errorPage, pageHeaders } from './docs.ts';
import type { Site } from './http.ts';
import { version } from './version.ts';

// The addresses beside the calls: health, metrics, descriptions and their pages.

export function addPages(site: Site): void {
  const { app, services, isDraining, contextOf, refuse } = site;
  const { vitals, metrics } = services;

  app.get('/healthz', (_, reply) => reply.type('text/plain').send('ok\n'));

  app.get('/readyz', (_, reply) => {
    const reason = isDraining() ? 'draining' : vitals.notReady();
    return reply
      .code(reason === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${reason ?? 'ready'}\n`);
  });

  app.get('/metrics', async (request, reply) => {
    const context = await contextOf(request);
    if (context instanceof Refusal) return refuse(request, reply, context);
    if (!isLoopback(context.address)) {
      if (context.caller === undefined) return refuse(request, reply, new Refusal('not_signed_in'));
      if (!(await services.sessions.isAdmin(context.caller.userId))) return refuse(request, reply, new Refusal('admin_only'));
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });

  const page = (reply: FastifyReply, html: string): FastifyReply => reply.headers(pageHeaders).send(html);
  const openApiJson = once(() => JSON.stringify(openApi(version)));
  const asyncApiJson = once(() => JSON.stringify(asyncApi(version)));
  const docs = once(docsPage);
  app.get('/openapi.json', (_, reply) => reply.type('application/json').send(openApiJson()));
  app.get('/asyncapi.json', (_, reply) => reply.type('application/json').send(asyncApiJson()));
  app.get('/docs', (_, reply) => page(reply, docs()));
  app.get<{ Params: { code: string } }>('/docs/errors/:code', (request, reply) => {
    const { code } = request.params;
    return Object.hasOwn(problems, code) ? page(reply, errorPage(code as keyof typeof problems)) : refuse(request, reply, new Refusal('not_found'));
  });

  addClassic(site);
}

/** Made when it is first asked for, then kept. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
