import { types } from 'cassandra-driver';

// Cassandra keeps, of two values of one cell, the one with the higher timestamp. Each row is written from exactly one partition of the journal, whose
// positions only rise, so a row's timestamp is made of the position of the record it comes from, and no clock takes part:
//
//   timestamp = (position + 1) × 256
//
// Applying a record again, by whomever and however late, writes the same values at the same timestamps, and an older record never covers a newer one. The 255
// numbers between two records are left free, for a repair by hand that must win over one record and lose to the next; those below 256 come before every
// record. The largest position there can be, 2^53, ends at 2^61, within the 63 bits of a timestamp.

const room = 8;

/** The timestamp of every row that the record at `position` makes. */
export const timestampOf = (position: number): types.Long => types.Long.fromNumber(position + 1).shiftLeft(room);

/** The position of the record that wrote a cell, from the cell's WRITETIME. */
export const positionAt = (timestamp: types.Long): number => timestamp.shiftRight(room).toNumber() - 1;
