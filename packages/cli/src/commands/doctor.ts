import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, resolve } from 'node:path';
import { type Config, ConfigError, isLoopback, readConfig } from '@parlance/server/config';
import type { Command } from 'commander';
import { type Act, examples } from '../act.ts';
import { exitRefused } from '../failure.ts';
import type { Shell } from '../shell.ts';

// Looks at what people most often stumble over, says what it found, and what to do about it. It changes nothing.

/** What was found about one thing. Without `advice` it is all right. */
export interface Finding {
  check: string;
  found: string;
  advice?: string;
}

const nodeMajorMin = 24;
const freeBytesMin = 1_073_741_824;
const clockSkewMaxMs = 10_000;
const answerTimeoutMs = 5000;

/** doctor. */
export function addDoctor(program: Command, act: Act): void {
  program
    .command('doctor')
    .description(
      'Check this machine and the server: Node, settings, disk, data folder, port, health, version, clock. Says of each whether it is all right, and what to do if not. Exit code 1 when something is not.',
    )
    .summary('Check this machine and the server.')
    .addHelpText(
      'after',
      examples('parlance doctor', 'parlance doctor --url https://chat.example.org', 'PARLANCE_DATA_DIR=/var/lib/parlance parlance doctor --json'),
    )
    .action(
      act<[], object>(async (shell) => {
        const findings = await examine(shell);
        shell.answer(
          { ok: findings.every(({ advice }) => advice === undefined), findings },
          ...findings.flatMap(({ check, found, advice }) => [
            `${advice === undefined ? 'ok     ' : 'PROBLEM'} ${check}: ${found}`,
            ...(advice === undefined ? [] : [`        ${advice}`]),
          ]),
        );
        return findings.some(({ advice }) => advice !== undefined) ? exitRefused : 0;
      }),
    );
}

async function examine(shell: Shell): Promise<Finding[]> {
  const findings = [checkNode(process.versions.node)];
  let { url } = shell;
  const isHere = isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, ''));
  if (isHere) {
    const { PARLANCE_PASSWORD: _, ...variables } = shell.world.environment;
    const config = checkConfig(variables);
    findings.push(config.finding);
    if (config.config !== undefined) {
      findings.push(...checkDataDir(config.config.dataDir));
      // Who has set the port of the server, and no address for its tools, means that server.
      if (!shell.isUrlGiven && config.config.port !== 0) url = `http://127.0.0.1:${config.config.port}`;
    }
  }
  return [...findings, ...(await checkServer(url, isHere, shell.world.now))];
}

export const checkNode = (version: string): Finding => ({
  check: 'Node',
  found: version,
  ...(Number(version.split('.')[0]) < nodeMajorMin && { advice: `Install Node ${nodeMajorMin} or newer from https://nodejs.org.` }),
});

function checkConfig(variables: Record<string, string | undefined>): { finding: Finding; config?: Config } {
  try {
    return { finding: { check: 'settings', found: 'understood' }, config: readConfig(variables) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { finding: { check: 'settings', found: 'the server would not start', advice: error.message } };
  }
}

/** The data folder and the disk that it is on. A folder that is not there is made by the server. */
export function checkDataDir(dataDir: string): Finding[] {
  let folder = resolve(dataDir);
  const isThere = existsSync(folder);
  while (!existsSync(folder)) folder = dirname(folder);
  const findings: Finding[] = [checkFolder(folder, isThere ? undefined : dataDir)];
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  findings.push({
    check: 'disk',
    found: `${(freeBytes / 1_073_741_824).toFixed(1)} GiB free`,
    ...(freeBytes < freeBytesMin && {
      advice: `Free some space on the disk of ${folder}, or set PARLANCE_DATA_DIR to another: a full disk refuses every message.`,
    }),
  });
  return findings;
}

function checkFolder(folder: string, missing: string | undefined): Finding {
  const check = 'data folder';
  const found = missing === undefined ? folder : `${missing} is not there yet; the server makes it in ${folder}`;
  const { mode } = statSync(folder);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    return { check, found, advice: `This user may not write in ${folder}: make it yours with chown, or run the server as its owner.` };
  }
  if (missing === undefined && process.platform !== 'win32' && (mode & 0o077) !== 0) {
    return { check, found, advice: `Others on this machine can look into it: chmod 700 ${folder}` };
  }
  return { check, found };
}

async function checkServer(url: string, isHere: boolean, now: () => number): Promise<Finding[]> {
  const health = await get(`${url}/healthz`);
  if (health === undefined) return [await checkPort(url, isHere)];
  if (health.status !== 200) {
    return [
      {
        check: 'server',
        found: `something answers at ${url}, but it is not Parlance`,
        advice: 'Give the server another port with --port, or say where it is with --url.',
      },
    ];
  }
  const findings: Finding[] = [{ check: 'server', found: `alive at ${url}` }];
  const ready = await get(`${url}/readyz`);
  findings.push({
    check: 'ready',
    found: ready?.text.trim() ?? 'no answer',
    ...(ready?.status !== 200 && { advice: 'It is starting or stopping, or cannot reach its store: look again in a moment, then into its log.' }),
  });
  const version = versionOf((await get(`${url}/openapi.json`))?.text);
  findings.push({
    check: 'version',
    found: version ?? 'not told',
    ...(version === undefined && { advice: 'What answers is not a Parlance that this program knows.' }),
  });
  const skewMs = health.date === undefined ? 0 : now() - health.date;
  findings.push({
    check: 'clock',
    found: Math.abs(skewMs) < clockSkewMaxMs ? 'agrees with the server’s' : `${Math.round(skewMs / 1000)} s off the server’s`,
    ...(Math.abs(skewMs) >= clockSkewMaxMs && { advice: 'Set the clocks of both by NTP: the times shown with messages would be wrong.' }),
  });
  return findings;
}

interface Answered {
  status: number;
  text: string;
  date: number | undefined;
}

// These addresses are no calls of the API, so the SDK does not know them.
async function get(url: string): Promise<Answered | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs), redirect: 'error' });
    const date = Date.parse(response.headers.get('date') ?? '');
    return { status: response.status, text: await response.text(), date: Number.isNaN(date) ? undefined : date };
  } catch {
    return undefined;
  }
}

function versionOf(openApi: string | undefined): string | undefined {
  try {
    return (JSON.parse(openApi ?? '') as { info?: { version?: string } }).info?.version;
  } catch {
    return undefined;
  }
}

async function checkPort(url: string, isHere: boolean): Promise<Finding> {
  const { hostname, port, protocol } = new URL(url);
  const number = Number(port || (protocol === 'https:' ? 443 : 80));
  if (!isHere) return { check: 'server', found: `no answer from ${url}`, advice: 'Check the address and the network, and that the server is running.' };
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    probe.listen(number, hostname.replace(/^\[|\]$/g, ''), () => probe.close(() => resolve(undefined)));
  });
  if (code === undefined) return { check: 'server', found: `none is running; port ${number} is free. Start one with \`parlance serve\`.` };
  const taken = code === 'EADDRINUSE';
  return {
    check: 'server',
    found: taken ? `port ${number} is taken by a program that does not answer like Parlance` : `port ${number} cannot be listened on (${code})`,
    advice: taken ? 'End that program, or choose another port with --port.' : 'Choose another port with --port; those below 1024 need special rights.',
  };
}
