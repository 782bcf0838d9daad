// npm test: sets everything up, runs every test, and ends with the one line that counts. Arguments are passed to vitest.
// What a test needs and the machine lacks is installed where that is possible, and otherwise said: `NOT RUN`, which in CI is a failure.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodePath, setup } from './setup.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

setup();
const notRun = [
  need('strace', ['-V'], 'strace', 'killing the server at every sync point, failing disks'),
  need('java', ['-version'], 'openjdk-17-jre-headless', 'everything on real Kafka and Cassandra'),
  need('mvn', ['-v'], 'maven', 'everything on real Kafka and Cassandra'),
  need('haproxy', ['-v'], 'haproxy', 'everything behind HAProxy'),
  need('faketime', ['--version'], 'faketime', 'a cluster with a node whose clock is a year off'),
  need('chromium', ['--version'], 'chromium', 'the journeys in the web app'),
];
const wrongTypes = ['tsconfig.test.json', 'packages/web/tsconfig.json'].filter((project) => existsSync(join(root, project)) && !checkTypes(project));
const lint = spawnSync(join(root, 'node_modules/.bin/biome'), ['check', '--error-on-warnings', '.'], { cwd: root, stdio: 'inherit' });
const { passed, failed, skipped } = runTests(process.argv.slice(2));

const refused = notRun.filter(Boolean);
const failures = failed + wrongTypes.length + (lint.status === 0 ? 0 : 1) + (process.env.CI ? refused.length + skipped : 0);
for (const project of wrongTypes) console.log(`FAILED: the types (tsc -p ${project})`);
if (lint.status !== 0) console.log('FAILED: biome check');
for (const line of refused) console.log(line);
if (skipped > 0) console.log(`NOT RUN: ${skipped} tests, each with its reason above`);
console.log(`${passed} passed, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);

/** Makes sure of a program, with Debian's packages when root. Returns what to say when it cannot be had. */
function need(program, args, debianPackage, forWhat) {
  const isThere = () => spawnSync(program, args, { stdio: 'ignore' }).status === 0;
  if (isThere()) return undefined;
  if (process.getuid?.() === 0) {
    spawnSync('sh', ['-c', `apt-get update -qq && apt-get install -y -qq ${debianPackage}`], { stdio: ['ignore', 'ignore', 'inherit'] });
    if (isThere()) return undefined;
  }
  return `NOT RUN: ${forWhat}: install ${program} with: sudo apt-get install ${debianPackage}`;
}

function checkTypes(project) {
  return spawnSync(nodePath(), [join(root, 'node_modules/typescript/bin/tsc'), '-p', project], { cwd: root, stdio: 'inherit' }).status === 0;
}

function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'parlance-test-'));
  const report = join(folder, 'report.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const { status } = spawnSync(nodePath(), [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
  });
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, numTodoTests } = JSON.parse(readFileSync(report, 'utf8'));
    // A file that fails to load has no failed test, and a run that ends badly after its tests has none either.
    const failed = Math.max(numFailedTests, numFailedTestSuites > 0 || status !== 0 ? 1 : 0);
    return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
