import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { notRun, type ServerProcessOptions } from '../support/server-process.ts';
import { Stage } from './stage.ts';

const builtApp = join(import.meta.dirname, '../../packages/web/dist/index.html');

/** For `expect.poll`: what a busy machine may need to show something. */
export const soon = { timeout: 15_000 };

/** A stage for all tests of a file: call it at the top. Where there is no browser or no built app each test is skipped, and says so. */
export function useStage(options: ServerProcessOptions = {}, browserArgs: readonly string[] = []): Stage {
  const stage = new Stage();
  beforeAll(() => stage.open(options));
  beforeEach(async (context) => {
    if (!existsSync(builtApp)) notRun(context, 'the web app is not built: npm run build');
    await stage.light(context, browserArgs);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());
  return stage;
}
