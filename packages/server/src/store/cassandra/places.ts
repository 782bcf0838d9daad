import { rangeOf } from './directory-cuts.ts';

// In which partition of its table a row stands: functions of its key alone, and fixed for ever, like the tables.

/** Seqs in one bucket of a conversation, unless the options say otherwise. At the longest texts a full bucket is 32 MiB, usually one or two. */
export const bucketSeqs = 4096;
/** Ranges of names that the directories of people and of groups are cut into. */
export const directoryShards = 64;
/** Ranges of names that the members of one group are cut into: one of a million has 250,000 in each, about 20 MB. */
const groupShards = 4;

export const directoryShardOf = (name: string): number => rangeOf(name, directoryShards);
/** A direct conversation has two members at most, who share one. */
export const memberShardOf = (conversation: string, userId: string): number => (conversation.startsWith('g:') ? rangeOf(userId, groupShards) : 0);
export const lastMemberShardOf = (conversation: string): number => (conversation.startsWith('g:') ? groupShards - 1 : 0);

/**
 * The partition of a decision. A key (`decisionKey`) begins with thirteen digits that tell where to look. For a UUIDv7 the first eight count 65.5 seconds each, and
 * the thirteenth is that of the journal partition: the look-ups and the rows of one record are in one place, or in a few where its client_ids were made at different times. A
 * busy installation of 4,000 sends a second has 16,000 decisions in one such partition, about 1.5 MB. Any other key has hash digits from the start, and one
 * of 65,536 partitions.
 */
export const decisionSliceOf = (key: string): string => (key.startsWith('f') ? key.slice(0, 5) : `${key.slice(0, 8)}/${key[12]}`);
