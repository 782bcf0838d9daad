import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Node } from '../node/node.ts';
import { Passwords } from '../node/passwords.ts';
import { Sessions } from '../node/sessions.ts';
import { Writes } from '../node/writes.ts';
import type { Services } from './context.ts';
import { Limits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { Seen } from './seen.ts';

/** Puts together what calls are made with. Sessions listen to the node from here on; call it once, before the node starts. */
export function createServices(node: Node, config: Config, installationKey: Buffer, logger: Logger): Services {
  const sessions = new Sessions(node);
  node.listen(sessions);
  return {
    node,
    sessions,
    passwords: new Passwords(),
    writes: new Writes(installationKey),
    limits: new Limits(config),
    seen: new Seen(node.store),
    metrics: new Metrics(node),
    config,
    logger,
  };
}
