import { registerHooks } from 'node:module';
import { parseArgs } from 'node:util';
import { plants } from './plants.ts';

// The simulation from the command line:
//
//   node test/simulation/run.ts --seeds 20000 --first 1     many seeds; ends with 1 if any failed
//   node test/simulation/run.ts --seed 17 --trace           one seed, with everything that happened
//   node test/simulation/run.ts --plant NAME                 with a planted bug, until it is caught
//
// A plant replaces a piece of source text as the module is loaded, so the code under test has no trace of it.

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3000' },
    first: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    plant: { type: 'string' },
    'failures-max': { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

const plant = values.plant === undefined ? undefined : plants.find(({ name }) => name === values.plant);
if (values.plant !== undefined && plant === undefined) {
  console.error(`There is no plant “${values.plant}”. There are:\n${plants.map(({ name }) => `  ${name}`).join('\n')}`);
  process.exit(2);
}
let planted = 0;
if (plant !== undefined) {
  const escaped = (word: string) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = plant.find.split(/\s+/).map(escaped).join('\\s+');
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!url.endsWith(`/${plant.file}`)) return loaded;
      const source = String(loaded.source);
      const times = [...source.matchAll(new RegExp(found, 'g'))].length;
      if (times !== 1) {
        console.error(`The plant “${plant.name}” finds its text ${times} times in ${plant.file}: it must be there once.`);
        process.exit(2);
      }
      planted += 1;
      return { ...loaded, source: source.replace(new RegExp(found), () => plant.replace) };
    },
  });
}

const { runSeed } = await import('./seed.ts');
const { realNow } = await import('./world.ts');
if (plant !== undefined && planted !== 1) {
  console.error(`The plant “${plant.name}” was not planted: ${plant.file} was loaded ${planted} times.`);
  process.exit(2);
}

// It ends by having nothing left to do: an exit would cut off what a pipe has not taken yet.
if (values.seed !== undefined) {
  const { failure, hash, steps, counts, trace } = await runSeed(Number(values.seed), values.trace);
  for (const line of trace) console.log(line);
  console.log(`seed ${values.seed}: ${failure ?? 'every promise kept'} (${steps} steps, trace ${hash.toString(16)})`, counts);
  process.exitCode = failure === undefined ? 0 : 1;
} else await runSeeds();

async function runSeeds(): Promise<void> {
  const first = Number(values.first);
  const step = Number(values.step);
  const count = Number(values.seeds);
  const failuresMax = plant === undefined ? Number(values['failures-max']) : 1;
  const start = realNow();
  const failures: { seed: number; failure: string }[] = [];
  const totals: Record<string, number> = { steps: 0 };
  let done = 0;
  for (; done < count && failures.length < failuresMax; done++) {
    const { seed, failure, steps, counts } = await runSeed(first + done * step);
    totals.steps! += steps;
    for (const [name, value] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + value;
    if (failure === undefined) continue;
    failures.push({ seed, failure });
    if (!values.json) console.log(`seed ${seed}: ${failure.slice(0, 1500)}`);
  }
  const seconds = (realNow() - start) / 1000;
  if (values.json) console.log(JSON.stringify({ seeds: done, seconds, failures, totals }));
  else {
    const means = Object.entries(totals).map(([name, total]) => `${name} ${(total / done).toFixed(1)}`);
    console.log(`${done} seeds, ${failures.length} failed, ${(done / seconds).toFixed(0)} seeds/s; a seed has on average: ${means.join(', ')}`);
  }
  process.exitCode = failures.length === 0 ? 0 : 1;
}
