import { parseArgs } from 'node:util';

// What one may say on the command line of `npm run bench`, and what follows from it for every measurement.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    fill: { type: 'string', default: '1000000' },
    json: { type: 'string', default: 'bench-results.json' },
  },
});

const [subject = 'embedded', ...others] = positionals;
if (!['embedded', 'cluster'].includes(subject) || others.length > 0) {
  console.error('npm run bench [-- embedded | cluster] [--quick] [--fill MESSAGES] [--json FILE]');
  process.exit(2);
}

/** What is measured: one embedded server, or a cluster on real engines. */
export const isOfCluster: boolean = subject === 'cluster';
/** How many messages "with many stored" means. */
export const many = Number(values.fill);
/** The file for the results. */
export const resultsFile: string = values.json;

export const warmUpMs: number = values.quick ? 1000 : 3000;
/** On a small machine that runs a whole cluster one thing may take seconds: there it is looked at for longer. */
export const measureMs: number = (values.quick ? 2000 : 8000) * (isOfCluster ? 3 : 1);
/** Sockets at once; from two on they write to each other in pairs. */
export const socketCounts: readonly number[] = [1, 50, 500];
export const textBytes = 100;
