// Where the directories of people and of groups are cut into shards: ranges of names, so that a list or a prefix reads neighbours in order, and each range about as
// full as the next, although a tenth of all names begin with s and hardly any with q. Cuts are computed from the three tables below; `directory.test.ts` shows
// how even they come out for names the tables were not made from.
//
// The tables may never be changed: where a row is looked for follows from them. A better table would be a new migration that moves the rows.

/** How many of 1,000 names begin with each character. Counted in 1,233 nicks of IRC; those have no digits in front, which get an eighth of the rarest letter. */
const first: Weights = weights(
  'a76 b54 c56 d58 e24 f44 g44 h35 i16 j48 k39 l41 m63 n56 o15 p41 q7 r53 s84 t60 u15 v15 w26 x8 y8 z16',
  '0:1 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1',
);
/** The same for the character after a vowel and after any other: of the second characters of those nicks. */
const afterVowel: Weights = weights(
  'a21 b53 c42 d42 e21 f16 g26 h6 i26 j5 k16 l127 m26 n164 o26 p26 q3 r127 s48 t32 u11 v53 w5 x26 y5 z26',
  '-:11 .:2 0:2 1:2 2:1 3:1 4:2 5:1 6:1 7:1 8:1 9:1 _:5',
);
const afterOther: Weights = weights(
  'a182 b7 c12 d10 e125 f6 g8 h57 i108 j14 k8 l39 m11 n14 o146 p11 q4 r64 s14 t24 u75 v2 w7 x1 y20 z4',
  '-:2 .:2 0:5 1:5 2:2 3:2 4:2 5:1 6:1 7:1 8:1 9:1 _:2',
);

/** Characters of a cut: with three, no shard is off by more than the names with three characters in common. */
const cutLength = 3;

/** Characters in order, with the share of the names that begin with each. */
type Weights = readonly { character: string; share: number }[];

function weights(letters: string, others: string): Weights {
  const counted = [
    ...letters.split(' ').map((item) => [item[0]!, item.slice(1)] as const),
    ...others.split(' ').map((item) => [item[0]!, item.slice(2)] as const),
  ];
  const total = counted.reduce((sum, [, count]) => sum + Number(count), 0);
  return counted.map(([character, count]) => ({ character, share: Number(count) / total })).sort((a, b) => (a.character < b.character ? -1 : 1));
}

const cutsByShards = new Map<number, readonly string[]>();

/** The first names of all shards but the first, in order. */
export function cutsOf(shards: number): readonly string[] {
  const known = cutsByShards.get(shards);
  if (known !== undefined) return known;
  const cuts = Array.from({ length: shards - 1 }, (_, index) => nameAt((index + 1) / shards));
  cutsByShards.set(shards, cuts);
  return cuts;
}

/** The shard of a name: how many cuts are at or before it. */
export function rangeOf(name: string, shards: number): number {
  const cuts = cutsOf(shards);
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cuts[middle]! <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The beginning of a name that this share of all names come before: within the range of the first character its place says, then of the second, and so on. */
function nameAt(share: number): string {
  let name = '';
  let rest = share;
  for (let table = first; name.length < cutLength; table = 'aeiouy'.includes(name.at(-1)!) ? afterVowel : afterOther) {
    let index = 0;
    while (index < table.length - 1 && rest >= table[index]!.share) rest -= table[index++]!.share;
    name += table[index]!.character;
    rest /= table[index]!.share;
  }
  return name;
}
