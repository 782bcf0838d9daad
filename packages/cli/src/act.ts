import type { Shell } from './shell.ts';

/**
 * Makes what a command does into what Commander calls: with a shell made of the global options, its arguments and its own options. It answers
 * an exit code other than 0, or throws what `Shell.fail` can tell.
 */
export type Act = <A extends unknown[], O>(
  perform: (shell: Shell, args: A, options: O) => Promise<number | undefined> | Promise<void>,
) => (...given: unknown[]) => Promise<void>;

/** A text as written in the code, so that help can break its lines where the terminal ends: only blank lines and indented ones keep their breaks. */
export const prose = (text: string): string => text.replace(/^(\S.*)\n(?=\S)/gm, '$1 ');

/** The examples at the end of a help text. */
export const examples = (...lines: string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
