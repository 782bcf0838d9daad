import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { importItemsMax } from '@parlance/schema/limits';
import { type Command, InvalidArgumentError } from 'commander';
import { type Act, examples, prose } from '../act.ts';
import { exitRefused, Failure, WrongUsage } from '../failure.ts';
import { importLogs, type Summary } from '../irc/import.ts';
import { type Reason, reasons } from '../irc/line.ts';
import { dateOfName, isDate } from '../irc/log.ts';
import { count } from '../progress.ts';
import { groupName } from './groups.ts';
import { wholeNumber } from './lists.ts';

const about = `Bring IRC logs into a group, with their authors and times. For administrators.

Files are imported in the order given. Lines of the form
  [hh:mm] <nick> text          become messages
  [hh:mm] * nick text          become actions
and are left out: joins, parts, quits, changes of nick and mode, notices, lines without text, and all other lines that
begin with ===, since nothing tells the actions among them from what the server said. What was left out is counted.

The day is taken from the file name (YYYY-MM-DD), else from --date; a time lower than the one before means the next day.
Times are read as UTC unless --utc-offset says otherwise. They decide nothing but what is shown.

A nick becomes a user id: folded as IRC does ([]\\~ are the capitals of {}|^), and whatever is not a-z 0-9 _ - written as
a dot and two hexadecimal digits a byte, so that no two nicks share an id. An author without account gets one that
cannot log in until \`parlance user add\` gives it a password. An account that has the id already is the author: --prefix
keeps imported people apart from those of the server.

Running the same again changes nothing: what was cut short is completed, what is there stays as it is.`;

interface Options {
  group: string;
  title?: string;
  prefix: string;
  date?: string;
  utcOffset: number;
  patience: number;
}

/** import irc. */
export function addImport(program: Command, act: Act): void {
  program
    .command('import')
    .description('Bring messages from elsewhere (administrators).')
    .command('irc')
    .description(prose(about))
    .summary('Bring IRC logs into a group.')
    .argument('<file...>', 'logs, in order')
    .requiredOption('--group <name>', 'the group; it is made, open, when there is none')
    .option('--title <title>', 'title of the group, if it is made')
    .option('--prefix <prefix>', 'put in front of every user id', prefixOf, '')
    .option('--date <date>', 'day of the first line (YYYY-MM-DD), for a file without date in its name', dateOf)
    .option('--utc-offset <offset>', 'how far the clock of the logs was ahead of UTC, such as +02:00', offsetOf, 0)
    .option('--patience <seconds>', 'how long to try again when the server does not answer', wholeNumber(0, 86_400), 120)
    .addHelpText(
      'after',
      examples('parlance import irc ubuntu-*.txt --group ubuntu', "parlance import irc '#perl.log' --group perl --date 2006-01-12 --prefix irc-"),
    )
    .action(
      act<[string[]], Options>(async (shell, [files], options) => {
        const group = groupName(options.group);
        const logs = datedLogs(files, options.date);
        const rest = shell.rest();
        const me = await rest.call('get_me', {});
        // Asked first, or the group would be made before the import is refused.
        if (!me.admin) throw new Failure('admin_only', `Only an administrator may import, and ${me.user_id} is none.`);
        const progress = shell.progress('lines');
        const { title, prefix, utcOffset: utcOffsetMinutes, patience } = options;
        let summary: Summary;
        try {
          summary = await importLogs(
            { logs, group, prefix, utcOffsetMinutes, batchMax: importItemsMax, patienceMs: patience * 1000, ...(title !== undefined && { title }) },
            { rest, progress, note: (line) => shell.note(line), wait: (delayMs) => wait(delayMs), now: shell.world.now },
          );
        } catch (error) {
          progress.end();
          shell.note('The import is not complete. Running the same command again goes on where it stopped.');
          throw error;
        }
        progress.end();
        shell.answer(summary, ...linesOf(summary));
        return summary.refused === 0 ? 0 : exitRefused;
      }),
    );
}

function linesOf(summary: Summary): string[] {
  const group = summary.conversation.replace(/^g:/, '#');
  const { lines, files, lines_with_text, messages, imported, already_there, left_out, refused, refusals } = summary;
  const stored =
    imported === null
      ? `${count(messages - refused)} are in ${group} now (how many were there before is seen by its members only).`
      : `${count(imported)} imported into ${group}, ${count(already_there!)} were there already.`;
  const out = Object.entries(left_out);
  return [
    `${count(lines)} lines read from ${count(files)} ${files === 1 ? 'file' : 'files'}: ${count(lines_with_text)} with a message, ${count(lines - lines_with_text)} left out.`,
    ...out.map(([reason, number]) => `  left out: ${count(number)} ${reasons[reason as Reason]}`),
    `${count(messages)} messages: ${stored}`,
    ...(refused === 0 ? [] : [`${count(refused)} refused:`]),
    ...refusals.map(({ file, line, author, code }) => `  ${file}, line ${line} (${author}): ${code}`),
    ...(refused > refusals.length ? [`  and ${count(refused - refusals.length)} more`] : []),
  ];
}

/** The day of each log. Throws WrongUsage. */
function datedLogs(files: readonly string[], fallback: string | undefined): { path: string; date: string }[] {
  const undated = files.filter((path) => dateOfName(path) === undefined);
  if (undated.length > 0 && fallback === undefined) {
    throw new WrongUsage(`${undated[0]} has no date (YYYY-MM-DD) in its name: give the day of its first line with --date.`);
  }
  if (undated.length > 1) throw new WrongUsage(`${undated[0]} and ${undated[1]} have no date in their names, and --date is for one: import them one by one.`);
  const names = files.map((path) => basename(path));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  // The name is part of every message's key: equal lines at equal places of the two would be taken for one message.
  if (twice !== undefined)
    throw new WrongUsage(`Two of the files are called ${twice}: give them names of their own, for messages are told apart by file and line.`);
  return files.map((path) => ({ path, date: dateOfName(path) ?? fallback! }));
}

function dateOf(value: string): string {
  if (isDate(value)) return value;
  throw new InvalidArgumentError('A day is written YYYY-MM-DD.');
}

function prefixOf(value: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,11}$/.test(value)) return value;
  throw new InvalidArgumentError('A prefix is 1-12 of a-z 0-9 . _ -, first a letter or digit.');
}

function offsetOf(value: string): number {
  const found = /^([+-])(\d\d):(\d\d)$/.exec(value);
  const minutes = found === null ? Number.NaN : Number(found[2]) * 60 + Number(found[3]);
  if (minutes <= 18 * 60) return found![1] === '-' ? -minutes : minutes;
  throw new InvalidArgumentError('An offset is written +hh:mm or -hh:mm.');
}
