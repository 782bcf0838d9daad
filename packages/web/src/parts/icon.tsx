// The app's own small set of signs, drawn with strokes so that they take the colour of the text around them.

const paths = {
  plus: 'M12 5v14M5 12h14',
  gear: 'M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM19 12l1.8 1.4-1.7 3-2.1-.8a7 7 0 0 1-1.9 1.1L14.7 19h-3.4l-.4-2.3A7 7 0 0 1 9 15.6l-2.1.8-1.7-3L7 12l-1.8-1.4 1.7-3 2.1.8a7 7 0 0 1 1.9-1.1l.4-2.3h3.4l.4 2.3a7 7 0 0 1 1.9 1.1l2.1-.8 1.7 3Z',
  exit: 'M14 4H6v16h8M10 12h10m0 0-3.5-3.5M20 12l-3.5 3.5',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 20 20',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  close: 'M6 6l12 12M18 6 6 18',
  people: 'M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11ZM3 19.5c0-3 2.6-5 6-5s6 2 6 5M16 11a2.8 2.8 0 1 0-.8-5.4M17 14.7c2.4.5 4 2.3 4 4.8',
  send: 'M12 19.5V5m0 0-6 6m6-6 6 6',
  edit: 'M5 19h3.5L18.5 9 15 5.5 5 15.5V19ZM13 7.5l3.5 3.5',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7',
  copy: 'M9 9h10v11H9zM15 9V4.5H5V15h4',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1',
  retry: 'M19 12a7 7 0 1 1-2.1-5M19 4v4h-4',
  more: 'M5.5 12h.010M12 12h.010M18.5 12h.01',
  down: 'M12 5v13m0 0-5-5m5 5 5-5',
  eye: 'M3 12s3.3-6 9-6 9 6 9 6-3.3 6-9 6-9-6-9-6ZM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  eyeOff: 'M4 4l16 16M9.5 6.4A9 9 0 0 1 12 6c5.7 0 9 6 9 6a15 15 0 0 1-2.6 3.3M6.3 7.8A15 15 0 0 0 3 12s3.3 6 9 6a9 9 0 0 0 3.7-.8',
  keyboard: 'M4 7h16v10H4zM7.5 10.5h.010M11 10.5h.010M14.5 10.5h.010M8.5 14h7',
  clock: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v4.5l3 1.5',
  alert: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16ZM12 8v5M12 16h.01',
} as const;

export type IconName = keyof typeof paths;

/** A picture that says nothing itself: whatever holds it has the name. `isTurned`: mirrored where text runs from right to left. */
export function Icon({ name, size = 20, isTurned = false }: { name: IconName; size?: number; isTurned?: boolean }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true" data-turned={isTurned || undefined}>
      <path d={paths[name]} stroke="currentColor" strokeWidth={name === 'more' ? 2.6 : 1.7} strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

/** The app's mark. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <path fill="var(--accent)" d="M16 2a14 14 0 1 1-7 26.1L2.6 30l2-6.2A14 14 0 0 1 16 2Z" />
      <path stroke="var(--on-accent)" strokeWidth={2.6} strokeLinecap="round" d="M10.5 13h11M10.5 19h6.5" />
    </svg>
  );
}
