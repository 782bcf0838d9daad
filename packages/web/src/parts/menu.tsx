import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { IconButton } from './button.tsx';
import styles from './parts.module.css';

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  run(): void;
}

/** A button that opens a menu: a native popover, which closes by itself on Esc and on a press elsewhere. */
export function MenuButton({ label, items }: { label: string; items: readonly MenuItem[] }) {
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLSpanElement>(null);
  const [isOpen, setOpen] = useState(false);
  const id = useId();

  const open = (): void => {
    const { current } = menu;
    if (current === null || button.current === null) return;
    current.showPopover();
    const at = button.current.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = current;
    const isBelow = at.bottom + offsetHeight + 8 < innerHeight;
    current.style.top = `${isBelow ? at.bottom + 4 : Math.max(8, at.top - offsetHeight - 4)}px`;
    current.style.left = `${Math.min(Math.max(8, at.right - offsetWidth), innerWidth - offsetWidth - 8)}px`;
    current.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  };

  const step = (event: KeyboardEvent<HTMLDivElement>): void => {
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=menuitem]')];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Escape') event.stopPropagation();
    if (to === undefined) return;
    event.preventDefault();
    all[to % all.length]?.focus();
  };

  return (
    <span ref={button}>
      <IconButton icon="more" label={label} aria-haspopup="menu" aria-expanded={isOpen} aria-controls={id} onClick={open} />
      <div
        ref={menu}
        id={id}
        className={styles.menu}
        role="menu"
        aria-label={label}
        popover="auto"
        tabIndex={-1}
        onKeyDown={step}
        onToggle={(event) => setOpen((event as unknown as { newState: string }).newState === 'open')}
      >
        {items.map((item) => (
          <button
            key={item.id}
            type="button"
            role="menuitem"
            className={styles.menuItem}
            onClick={() => {
              menu.current?.hidePopover();
              item.run();
            }}
          >
            {item.label}
          </button>
        ))}
      </div>
    </span>
  );
}
