import type { Answer } from '@parlance/sdk';

/** A member of a group, and what they may do there. */
export type Member = Answer<'list_members'>['members'][number];
export type MemberRole = Member['role'];
