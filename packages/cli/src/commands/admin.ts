import type { Command } from 'commander';
import { type Act, examples } from '../act.ts';
import { WrongUsage } from '../failure.ts';

/** admin claim. */
export function addAdmin(program: Command, act: Act): void {
  program
    .command('admin')
    .description('Administer the server.')
    .command('claim')
    .description('Become the first administrator, with the link that the server prints when it starts. It works once.')
    .argument('<link>', 'the link, or the secret at its end')
    .addHelpText('after', examples('parlance admin claim http://127.0.0.1:8080/first-admin/4cPq…'))
    .action(
      act<[string], object>(async (shell, [given]) => {
        const link = /(?:^|\/first-admin\/)([A-Za-z0-9_-]{16,128})$/.exec(given.trim())?.[1];
        if (link === undefined) throw new WrongUsage('That is not such a link: copy it whole, as the server printed it.');
        const me = await shell.rest().call('claim_admin', { link });
        shell.answer(me, `${me.user_id} is administrator now.`);
      }),
    );
}
