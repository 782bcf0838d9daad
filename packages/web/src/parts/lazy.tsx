import { type ComponentType, useEffect, useState } from 'react';
import { t } from '../text/language.ts';
import { Empty } from './empty.tsx';

/** A view in a chunk of its own, drawn when it has come; nothing until then, and where it cannot be had, a word about that. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [View, setView] = useState<ComponentType<P> | undefined>(() => loaded);
    const [hasFailed, setFailed] = useState(false);
    useEffect(() => {
      let isGone = false;
      if (loaded === undefined) {
        load().then(
          (view) => {
            loaded = view;
            if (!isGone) setView(() => view);
          },
          () => !isGone && setFailed(true),
        );
      }
      return () => {
        isGone = true;
      };
    }, []);
    // The whole page anew: the server may have another version by now, whose chunks have other names. What was begun is kept over it.
    if (hasFailed) {
      return (
        <Empty title={t().account.startFailed} onRetry={() => location.reload()}>
          {t().account.startFailedHelp}
        </Empty>
      );
    }
    return View === undefined ? null : <View {...props} />;
  };
}
