import type { Command } from 'commander';
import { type Act, examples, prose } from '../act.ts';
import { WrongUsage } from '../failure.ts';

const about = `Start a server. Nothing needs to be set: it listens on http://127.0.0.1:8080 and keeps its data in ./data.

Every setting is a flag or a variable of the environment: --port 9000 or PARLANCE_PORT=9000. \`parlance doctor\` checks
them, and docs/operations.md lists them all. The most used:

  --host, --port          address to listen on
  --data-dir              folder that holds everything the server keeps
  --public-url            address that people use, when it differs
  --tls-cert, --tls-key   files of a certificate (PEM)
  --behind-tls-proxy      a proxy in front does TLS
  --registration          open or closed
  --json                  log lines and what is printed first as JSON`;

/** serve: for its help alone. `main.ts` hands the command line to the server as it is, before anybody here reads it. */
export function addServe(program: Command, act: Act): void {
  program
    .command('serve')
    .description(prose(about))
    .summary('Start a server.')
    .argument('[settings...]')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText('after', examples('parlance serve', 'parlance serve --port 9000 --data-dir /var/lib/parlance'))
    .action(
      act(async () => {
        throw new WrongUsage('Write `serve` first, and its settings after it: parlance serve --json');
      }),
    );
}
