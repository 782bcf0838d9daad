import { current } from '../conversation/current.ts';
import { pathOf } from '../state/route.ts';
import { toast } from '../state/toasts.ts';
import { t } from '../text/language.ts';
import type { MessageAction } from './action.ts';

export const copyText: MessageAction = {
  id: 'copyText',
  isEnabled: ({ text }) => text !== undefined,
  run: ({ text }) => void copy(text ?? ''),
};

export const copyLink: MessageAction = {
  id: 'copyLink',
  isEnabled: ({ msg_id, deleted }) => msg_id !== null && deleted !== true,
  run: ({ msg_id }) => {
    const open = current.peek();
    if (open !== null) void copy(location.origin + pathOf(open.id, open.client.me, msg_id));
  },
};

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that came over plain http has no clipboard; the old way still works there.
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast(t().chat.copied);
}
