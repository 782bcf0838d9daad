import { plantWhileLoading } from './planting.ts';
import { plants, plantVariable } from './plants.ts';

// A node from the sources: `parlance serve`, with the bug planted in them while they are loaded that an environment variable names, if any.

const name = process.env[plantVariable];
if (name !== undefined) {
  const plant = plants.find((one) => one.name === name);
  if (plant === undefined) throw new Error(`There is no plant “${name}”. There are:\n${plants.map((one) => `  ${one.name}`).join('\n')}`);
  plantWhileLoading(plant.changes);
}
const { serve } = await import('../../packages/server/src/main.ts');
await serve(process.argv.slice(2));
