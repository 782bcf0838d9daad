import type { Command } from 'commander';
import { type Act, examples } from '../act.ts';
import { exitRefused, Failure } from '../failure.ts';
import { count } from '../progress.ts';

/** verify. */
export function addVerify(program: Command, act: Act): void {
  program
    .command('verify')
    .description(
      'Read the whole store of the server and check what must hold: dense, unique, heads and indexes right, nothing readable of deleted text. For administrators. Exit code 1 when something is wrong.',
    )
    .summary('Check the whole store of the server (administrators).')
    .addHelpText('after', examples('parlance verify', 'parlance verify --json'))
    .action(
      act<[], object>(async (shell) => {
        const progress = shell.progress('rows');
        const onProgress = (line: unknown): void => progress.update((line as { rows?: number }).rows ?? 0);
        const result = await shell
          .rest()
          .call('verify', {}, { onProgress })
          .finally(() => progress.end());
        const { rows, conversations, messages, findings } = result;
        // Whoever asks has an account, which is a row.
        if (rows === 0)
          throw new Failure('nothing_verified', 'The server has read nothing, so nothing can be said about its store. Update it, and look into its log.');
        const summary = `${count(rows)} rows, ${count(conversations)} conversations, ${count(messages)} messages: `;
        shell.answer(
          result,
          ...findings.map(({ rule, row, detail }) => `${rule}: ${row}: ${detail}`),
          `${summary}${findings.length === 0 ? 'all is as it must be.' : `${count(findings.length)} findings. Keep the data folder as it is, and restore from a backup or ask for help.`}`,
        );
        return findings.length === 0 ? 0 : exitRefused;
      }),
    );
}
