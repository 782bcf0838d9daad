import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Node } from '../node/node.ts';
import { Passwords } from '../node/passwords.ts';
import { Sessions } from '../node/sessions.ts';
import type { Vitals } from '../node/vitals.ts';
import { Writes } from '../node/writes.ts';
import type { Services } from './context.ts';
import { Limits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import { Seen } from './seen.ts';

/** What there is before the node. */
interface Given {
  config: Config;
  installationKey: Buffer;
  logger: Logger;
  metrics: Metrics;
  vitals: Vitals;
}

/** Puts together what calls are made with. Sessions listen to the node from here on; call it once, before the node starts. */
export function createServices(node: Node, { config, installationKey, logger, metrics, vitals }: Given): Services {
  const sessions = new Sessions(node);
  node.listen(sessions);
  return {
    node,
    sessions,
    passwords: new Passwords(),
    writes: new Writes(installationKey),
    limits: new Limits(config),
    seen: new Seen(node.store),
    metrics,
    vitals,
    config,
    logger,
  };
}
