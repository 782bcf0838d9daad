import { parseArgs } from 'node:util';
import { missingPackages } from '../../deploy/local/jars.ts';
import { Random } from '../support/random.ts';
import { verifyStore } from '../support/verify.ts';
import { type Blow, faketimeMissing, faultNamed, schedule } from './faults.ts';
import { type Figures, measureFailOver } from './figures.ts';
import { besiege, faultsLogged, type SiegeReport } from './siege.ts';
import { nodeFromSources, type Stage, startStage } from './stage.ts';

// The fault tests for as long as wanted: `npm run torture -- --minutes 100 --seed 7`. It prints the seed and each blow as it falls; the same seed gives the same blows
// against the same members (what the machine's timing makes of them differs). Ends with 1 when a promise was broken.

const usage = 'npm run torture -- [--minutes=10] [--seed=N] [--faults="broker killed+deciding node paused,node killed"] [--source] [--json]';

const blowsPerCrowd = 3;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 0xffffffff)) },
    faults: { type: 'string' },
    source: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const missing = missingPackages(['kafka', 'cassandra', 'haproxy']);
if (missing.length > 0) {
  console.error(`The cluster needs programs that this machine lacks. Install them with: sudo apt-get install ${missing.join(' ')}`);
  process.exit(2);
}
const noClock = faketimeMissing();
if (noClock !== undefined) console.error(`NOT RUN: the clock of a node a year ahead or behind: ${noClock}`);

const begunAt = performance.now();
const say = (text: string): void => {
  if (!values.json) console.log(`${((performance.now() - begunAt) / 1000).toFixed(1).padStart(7)} s  ${text}`);
};

const seed = Number(values.seed);
const random = new Random(seed);
const minutes = Number(values.minutes);
const again = `npm run torture -- --minutes ${values.minutes} --seed ${seed}${values.faults === undefined ? '' : ` --faults "${values.faults}"`}`;
say(`seed ${seed}: ${again}`);

/** All that will be done, as long as time allows: chosen before anything happens, so that a seed means the same whatever the machine does. */
const given = values.faults?.split(',').map((blow) => blow.split('+').map((name) => name.trim()));
for (const name of given?.flat() ?? []) faultNamed(name);
const blows: Blow[] = given ?? schedule(random, Math.ceil(minutes * 10), ({ name }) => noClock === undefined || !name.startsWith('clock'));

let isEnding = false;
process.once('SIGINT', () => {
  isEnding = true;
  say('ending after this siege');
});

const totals: SiegeReport[] = [];
let broken = 0;
let stage: Stage | undefined;
let figures: Figures | undefined;
try {
  stage = await startStage({
    progress: say,
    ...(values.source && { program: nodeFromSources }),
  });
  say('up');
  for (let next = 0; next < blows.length && !isEnding && performance.now() - begunAt < minutes * 60_000; next += blowsPerCrowd) {
    const mine = blows.slice(next, next + blowsPerCrowd);
    say(`siege ${next / blowsPerCrowd + 1}: ${mine.map((blow) => blow.join(' + ')).join(', ')}`);
    const report = await besiege(stage, mine, { seed: random.below(0xffffffff), progress: say });
    totals.push(report);
    say(
      `  ${Object.entries(report.counts)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ')}`,
    );
    broken += report.findings.length;
    for (const { rule, detail } of report.findings.slice(0, 20)) console.log(`  BROKEN ${rule}: ${detail}`);
    if (report.findings.length > 0) console.log(faultsLogged(stage).join('\n'));
  }
  if (!isEnding) {
    figures = await measureFailOver(stage);
    broken += figures.socketsOfKilledNode.gaps;
    say(`fail-over: ${JSON.stringify(figures, undefined, 1)}`);
  }
  const { findings, messages } = await verifyStore(stage.cluster.url, stage.admin.token);
  broken += findings.length;
  for (const finding of findings.slice(0, 20)) console.log(`  BROKEN verify: ${JSON.stringify(finding)}`);
  say(`verify: ${messages} messages, ${findings.length} findings`);
} finally {
  await stage?.close();
}

const all = totals.flatMap((report) => report.blows);
const slowest = all.reduce((most, { convergedMs }) => Math.max(most, convergedMs), 0);
if (values.json) console.log(JSON.stringify({ seed, broken, figures, blows: all, counts: totals.map(({ counts }) => counts) }));
else say(`${all.length} blows, ${broken} promises broken; of one mind at most ${Math.round(slowest)} ms after healing. Again: ${again}`);
process.exitCode = broken === 0 ? 0 : 1;
