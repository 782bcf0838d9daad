import type { Person } from '../conformance/protocol-client.ts';
import { App } from './app.ts';
import type { Seat, SeatOptions } from './browser.ts';
import type { Stage } from './stage.ts';

/** Somebody, their browser, and the app in it. */
export interface Player {
  person: Person;
  seat: Seat;
  app: App;
}

/** Ann and Bob, each in a browser of their own that shows their conversation. */
export async function pair(stage: Stage, options: Partial<SeatOptions> = {}): Promise<{ ann: Player; bob: Player }> {
  const [annPerson, bobPerson] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const [ann, bob] = await Promise.all([annPerson, bobPerson].map((person) => playerOf(stage, person, options)));
  await Promise.all([ann!.app.open(`@${bobPerson.id}`), bob!.app.open(`@${annPerson.id}`)]);
  return { ann: ann!, bob: bob! };
}

/** Somebody in front of a browser that has their session; it shows nothing yet. */
export async function playerOf(stage: Stage, person: Person, options: Partial<SeatOptions> = {}): Promise<Player> {
  const seat = await stage.seatFor(person, options);
  return { person, seat, app: new App(seat.page) };
}

/** The stable id of the conversation of two people. */
export const directId = (one: Person, other: Person): string => `d:${[one.id, other.id].sort().join(':')}`;

/** Texts to tell apart: `number 3` to `number 7`. */
export const numbered = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, index) => `number ${from + index}`);
