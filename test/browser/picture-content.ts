import type { Said } from './history.ts';

// What stands in the pictures of docs/pictures: a small theatre in the week before a first night, as its people might write.

export const people: Readonly<Record<string, string>> = {
  mira: 'Mira Haddad',
  jonas: 'Jonas Weber',
  chiara: 'Chiara Lindqvist',
  ben: 'Ben Okafor',
  tomasz: 'Tomasz Nowak',
  ines: 'Inês Carvalho',
  lotte: 'Lotte Brandt',
  samir: 'سمير خوري',
};

export const groups: readonly { name: string; title: string; open: boolean; owner: string; members: readonly string[] }[] = [
  { name: 'the-tempest', title: 'The Tempest', open: false, owner: 'chiara', members: ['mira', 'jonas', 'ben', 'tomasz', 'ines', 'samir'] },
  { name: 'workshop', title: 'Workshop & props', open: true, owner: 'tomasz', members: ['mira', 'jonas', 'lotte'] },
  { name: 'front-of-house', title: 'Front of house', open: true, owner: 'lotte', members: ['mira', 'ines'] },
  { name: 'lunch', title: 'Lunch, 12:30', open: true, owner: 'ben', members: ['jonas', 'chiara', 'ines'] },
];

/** The day of the pictures. Times below are of it, or with a number of days before it. */
export const today = '2026-05-14';
export const now = `${today}T14:46:00Z`;
/** When the groups were made. */
export const founded = '2026-05-11T08:02:00Z';

const at = (time: string, daysBefore = 0): string => new Date(Date.parse(`${today}T${time}:00Z`) - daysBefore * 86_400_000).toISOString();

export const conversations: Readonly<Record<string, readonly Said[]>> = {
  'g:lunch': [{ author: 'ben', text: 'The place on the corner has the lentil soup again. Twelve thirty?', time: at('10:12') }],
  'g:front-of-house': [
    { author: 'lotte', text: 'Saturday is sold out, Friday has 14 seats left.', time: at('15:20', 1) },
    { author: 'ines', text: 'I can take the door on both evenings.', time: at('15:31', 1) },
    { author: 'lotte', text: 'You are a treasure. The list is in the drawer under the till.', time: at('15:32', 1) },
  ],
  'd:jonas:mira': [
    { author: 'jonas', text: 'Do you still have the keys to the lighting loft?', time: at('16:05', 1) },
    { author: 'mira', text: 'Yes. On the hook behind the desk from six.', time: at('16:09', 1) },
    { author: 'jonas', text: 'Perfect, thank you', time: at('16:09', 1) },
  ],
  'd:mira:samir': [
    { author: 'samir', text: 'مساء الخير ميرا، هل وصلت النسخة الجديدة من النص؟', time: at('11:02') },
    { author: 'mira', text: 'نعم، سأرسلها إليك بعد البروفة.', time: at('11:05') },
  ],
  'd:lotte:mira': [
    { author: 'lotte', text: 'The printer can do the programmes by Thursday if we send the file today.', time: at('09:40') },
    { author: 'mira', text: 'Sending it after lunch. Is **A5, folded** still right?', time: at('09:52') },
    { author: 'lotte', text: 'Yes. 300 copies, the cream paper.', time: at('09:53') },
  ],
  'g:workshop': [
    { author: 'tomasz', text: 'The mast is up. It holds two people and a rope ladder.', time: at('17:22', 1) },
    { author: 'lotte', text: 'Photographs or it did not happen.', time: at('17:25', 1) },
    {
      author: 'tomasz',
      text: 'Still to do:\n\n- varnish on the deck\n- Prospero’s staff, second attempt\n- somebody who is not afraid of heights',
      time: at('08:30'),
    },
    { author: 'jonas', text: 'I am not afraid of heights, only of the ladder.', time: at('08:34') },
  ],
  'g:the-tempest': [
    { author: 'chiara', text: 'Thank you all for tonight. The storm finally sounds like a storm.', time: at('21:48', 1) },
    { author: 'ben', text: 'My ears agree.', time: at('21:50', 1) },
    { author: 'ines', text: 'Could we take the second entrance a little slower? I nearly ran into the mast.', time: at('21:54', 1) },
    { author: 'chiara', text: 'Yes, count to three before you move. I will give you a sign from the left.', time: at('21:55', 1) },
    { author: 'mira', text: 'The new text for act two is on the table in the foyer. Page 14 changed, the rest is as it was.', time: at('08:15') },
    { author: 'tomasz', text: 'Deck is varnished. **Nobody walks on it before noon**, please.', time: at('08:47') },
    { author: 'jonas', text: 'The lighting desk has the new cues. If it forgets them again:', time: at('09:58') },
    { author: 'jonas', text: '```\nload tempest\nmerge cues-act-2\ngo 1\n```', time: at('09:58') },
    { author: 'ben', text: 'I will pretend I understood that.', time: at('10:01') },
    { author: 'mira', text: 'I have it on paper as well, Ben. Third drawer.', time: at('10:02') },
    { author: 'chiara', text: '> Page 14 changed, the rest is as it was.\n\nWho cut my favourite line?', time: at('13:30') },
    { author: 'mira', text: 'Ines did, and it is better. Read it aloud once.', time: at('13:34') },
    { author: 'chiara', text: 'I did. Fine. It is better.', time: at('13:41') },
    { author: 'samir', text: 'البروفة الساعة السادسة، أليس كذلك؟', time: at('14:20') },
    { author: 'chiara', text: 'Six sharp, in costume. First act without stopping, then notes, then *pizza*.', time: at('14:24') },
    { author: 'ben', text: 'I was in at “notes”.', time: at('14:26') },
    { author: 'ines', text: 'You were in at pizza.', time: at('14:26') },
    { author: 'tomasz', text: 'Costume includes shoes this time? The deck is still a little sticky on the left.', time: at('14:41') },
    { author: 'chiara', text: 'Shoes, yes. And the left belongs to the spirits, they float.', time: at('14:43') },
  ],
};

/** Up to where Mira, at whose screen the pictures are taken, has not read: how many of the newest messages. */
export const unread: Readonly<Record<string, number>> = { 'g:the-tempest': 4, 'g:workshop': 2 };
