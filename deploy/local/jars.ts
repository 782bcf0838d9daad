import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

// The programs of the engines, from Maven Central. They are fetched once and kept in a folder named after what was asked for, so that another version gets another
// folder and two launchers that fetch at once do not meet: each fills a folder of its own, and the first to be done gives it the name.

export type Engine = 'kafka' | 'cassandra';

const pom = join(import.meta.dirname, 'pom.xml');

/** Where jars are kept: `$PARLANCE_ENGINES_DIR`, otherwise beside the checkout's installed packages. */
const cacheFolder = (): string => process.env.PARLANCE_ENGINES_DIR ?? join(import.meta.dirname, '../../node_modules/.cache/parlance');

/** The programs that the launcher needs and the machine lacks, by their Debian packages; none when everything is there. */
export function missingPackages(engines: readonly (Engine | 'haproxy')[]): string[] {
  const needed = new Map<string, [string, string]>();
  for (const engine of engines) {
    if (engine === 'haproxy') {
      needed.set('haproxy', ['haproxy', '-v']);
      continue;
    }
    needed.set('openjdk-17-jre-headless', ['java', '-version']);
    if (!existsSync(jarFolder(engine))) needed.set('maven', ['mvn', '-v']);
  }
  return [...needed].filter(([, [program, flag]]) => spawnSync(program, [flag], { stdio: 'ignore' }).status !== 0).map(([name]) => name);
}

const fetching = new Map<Engine, Promise<string>>();

/**
 * The folder with the jars of an engine, fetched with Maven if they are not there (10 s to a minute). Safe when two processes call it at once. Rejects with
 * what Maven said when they cannot be had; a later call tries again.
 */
export function fetchJars(engine: Engine): Promise<string> {
  const begun = fetching.get(engine);
  if (begun !== undefined) return begun;
  const folder = fetchInto(jarFolder(engine), engine);
  fetching.set(engine, folder);
  folder.catch(() => fetching.delete(engine));
  return folder;
}

function jarFolder(engine: Engine): string {
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  return join(cacheFolder(), `${engine}-${version}`);
}

async function fetchInto(folder: string, engine: Engine): Promise<string> {
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder(), { recursive: true });
  const draft = await mkdtemp(`${folder}.`);
  try {
    await runMaven(['-q', '-B', '-f', pom, '-P', engine, 'dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`]);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // A rename onto a folder that is not empty: another process was first, with the same jars.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
  return folder;
}

async function runMaven(args: readonly string[]): Promise<void> {
  const child = spawn('mvn', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said = `${said}${chunk}`.slice(-3000)));
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : `exit ${code}`));
  });
  if (failure !== undefined)
    throw new Error(`The engines could not be fetched: mvn failed (${failure}). Needed are Maven and a way to Maven Central.\n${said}`);
}
