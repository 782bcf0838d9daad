import { isOfCluster } from './options.ts';

// npm run bench: how fast one embedded server is; `npm run bench -- cluster`: how fast nodes on real engines are.

await import(isOfCluster ? './cluster.ts' : './embedded.ts');
