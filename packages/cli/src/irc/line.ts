// One line of an IRC log, understood or left out with a reason. The format is that of irclogs.ubuntu.com and of Ubuntu's supybot:
//
//   [09:14] <nick> text                      message; also with seconds, and with the sign of a role before the nick: <@nick>
//   [17:13]  * nick waves                    action, whatever it says: `* bob has joined the club` is one
//   [05:12] -nick:#channel- text             notice
//   === nick [user@host]  has joined #chan   what the logger saw happen
//
// Every `===` line is left out. Logs before about 2006 write actions that way too (`=== nick waves`), but also notices (`=== nick buy this`)
// and whatever else the server said, and nothing in the line tells which: an action could be invented where there was none, or a
// spammer's notice be put into the conversation. Leaving out is safe and is counted, under `status` where it is no kind that can be told.

export type Reason = 'joined_or_left' | 'nick_change' | 'mode' | 'status' | 'notice' | 'empty_text' | 'not_understood';

/** Why a line was left out, for people. */
export const reasons: Record<Reason, string> = {
  joined_or_left: 'joins, parts, quits and kicks',
  nick_change: 'changes of nick',
  mode: 'changes of mode',
  status: 'other === lines, of which some may be actions',
  notice: 'notices',
  empty_text: 'without text',
  not_understood: 'not understood as a line of a log',
};

/** `seconds` since midnight, as the clock of the log showed. */
export type Line = { kind: 'message' | 'action'; seconds: number; nick: string; text: string } | { kind: 'left_out'; reason: Reason; seconds?: number };

const timed = /^\[(\d\d):(\d\d)(?::(\d\d))?\] (.*)$/s;
// Old logs of Ubuntu have a space after every ] of a nick: <zcat[1] >, <[cc] smart>. No nick holds one, so it can be taken out again.
const message = /^<[ @+%&~!]?((?:\] |[^\s>])+)> ?(.*)$/s;
const action = /^ ?\* (\S+)(?: (.*))?$/s;
const notice = /^-\S+-(?: |$)/;

/** Understands one line, without its line ending. The text is kept as it is, spaces included. */
export function parseLine(line: string): Line {
  if (line.startsWith('===')) return { kind: 'left_out', reason: statusReason(line) };
  const found = timed.exec(line);
  if (found === null) return { kind: 'left_out', reason: line.trim() === '' ? 'empty_text' : 'not_understood' };
  const [, hours, minutes, secondsShown = '00', rest = ''] = found;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(secondsShown) > 59) return { kind: 'left_out', reason: 'not_understood' };
  const seconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(secondsShown);
  const said = message.exec(rest);
  const done = said === null ? action.exec(rest) : null;
  if (said === null && done === null) return { kind: 'left_out', reason: notice.test(rest) ? 'notice' : 'not_understood', seconds };
  const [, nick = '', text = ''] = said ?? done!;
  if (text.trim() === '') return { kind: 'left_out', reason: 'empty_text', seconds };
  return { kind: said === null ? 'action' : 'message', seconds, nick: nick.replaceAll('] ', ']'), text };
}

function statusReason(line: string): Reason {
  if (/^=== \S+ is now known as \S+\s*$/.test(line)) return 'nick_change';
  if (/^=== .*\[.*\] +has (joined|left|quit)\b/.test(line) || /^=== \S+ was kicked (off|from) /.test(line)) return 'joined_or_left';
  if (/^=== \S+ +\[[+-][^\]]*\] +by /.test(line)) return 'mode';
  return 'status';
}
