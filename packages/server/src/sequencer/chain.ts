import type { EventRecord } from '../journal/record.ts';
import type { PositionRow } from '../store/port.ts';

// Which decided records count. Every decided record names the id of the one it follows; it is valid if that is the last valid one, otherwise
// every reader skips it. So a decision counts only if it was made on exactly the state it extends, however many sequencers race, and no
// leader, lease or clock has to be trusted. Sequencers, nodes and the simulation fold with this one function.

export type StepKind = 'decided' | 'applied' | 'skipped';

export class Chain {
  position: number;
  lastId: string;
  lastCommand: number;
  generation: string;

  /** Begins at a position row, which is the fold of everything up to it. */
  constructor(row: PositionRow) {
    this.position = row.position;
    this.lastId = row.lastId;
    this.lastCommand = row.lastCommand;
    this.generation = row.generation;
  }

  /** Takes the next record. Positions must rise; a gap is only what compaction or a transaction marker leaves. */
  step(position: number, record: EventRecord): StepKind {
    if (position <= this.position) throw new Error(`the record at ${position} came after the one at ${this.position}`);
    this.position = position;
    if (record.type === 'applied') return 'applied';
    if (record.follows !== this.lastId) return 'skipped';
    this.lastId = record.id;
    this.lastCommand = record.upto;
    return 'decided';
  }

  /** The fold as it is now, as a position row. */
  row(): PositionRow {
    return { position: this.position, lastId: this.lastId, lastCommand: this.lastCommand, generation: this.generation };
  }
}
