import { build, type Histogram } from 'hdr-histogram-js';

// How long things took, of every kind that is measured here.

/** Milliseconds. */
export interface Latencies {
  p50: number;
  p99: number;
  p999: number;
}

/** Of microseconds, up to a minute. */
export const newHistogram = (): Histogram => build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });

export const latenciesIn = (histogram: Histogram): Latencies => ({
  p50: histogram.getValueAtPercentile(50) / 1000,
  p99: histogram.getValueAtPercentile(99) / 1000,
  p999: histogram.getValueAtPercentile(99.9) / 1000,
});
