import { ParlanceError } from '@parlance/sdk';
import { commitRemovals } from '../conversation/removals.ts';
import { forgetDrafts } from '../state/drafts.ts';
import { go } from '../state/route.ts';
import { logOut as end } from '../state/session.ts';
import { toast } from '../state/toasts.ts';
import { sentenceOf } from '../text/language.ts';
import type { Action } from './action.ts';

export const logOut: Action = {
  id: 'logOut',
  isEnabled: () => true,
  run: () => {
    commitRemovals();
    end().then(
      () => {
        forgetDrafts();
        go('/');
      },
      (error: unknown) => {
        if (!(error instanceof ParlanceError)) throw error;
        toast(sentenceOf(error.problem));
      },
    );
  },
};
