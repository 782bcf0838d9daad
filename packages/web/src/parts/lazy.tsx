import { type ComponentType, useEffect, useState } from 'react';

/** A view in a chunk of its own, drawn when it has come; nothing until then. */
export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [View, setView] = useState<ComponentType<P> | undefined>(() => loaded);
    useEffect(() => {
      let isGone = false;
      if (loaded === undefined) {
        void load().then((view) => {
          loaded = view;
          if (!isGone) setView(() => view);
        });
      }
      return () => {
        isGone = true;
      };
    }, []);
    return View === undefined ? null : <View {...props} />;
  };
}
