import { useEffect, useRef, useState } from 'react';
import { leaveGroup } from '../actions/leave-group.ts';
import { memberActions } from '../actions/table.ts';
import type { OpenConversation } from '../conversation/open-conversation.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Button, IconButton } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { Field } from '../parts/field.tsx';
import { MenuButton } from '../parts/menu.tsx';
import { isPanelOpen } from '../state/dialogs.ts';
import { focusComposer } from '../state/focus.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import { AddMember } from './add-member.tsx';
import styles from './group.module.css';
import type { Member } from './member.ts';
import { change, members, myRole } from './members.ts';

const order = { owner: 0, admin: 1, member: 2 } as const;

/** The members of the group that is open, and what may be done about them. */
export function GroupPanel({ open }: { open: OpenConversation }) {
  const all = useValue(members);
  const role = useValue(myRole);
  const { title } = useValue(open.view);
  const panel = useRef<HTMLElement>(null);
  const isAdmin = role === 'owner' || role === 'admin';
  const { group } = t();
  useEffect(() => {
    // Who opened it with a key is led into it.
    panel.current?.querySelector<HTMLElement>('button')?.focus({ preventScroll: true });
  }, []);
  if (all === null) return null;
  const sorted = [...all.all].sort((a, b) => order[a.role] - order[b.role] || a.display_name.localeCompare(b.display_name));
  return (
    <section ref={panel} className={styles.panel} aria-label={group.panel} data-region>
      <div className={styles.head}>
        <h2>{group.panel}</h2>
        <IconButton
          icon="close"
          label={t().close}
          onClick={() => {
            isPanelOpen.value = false;
            focusComposer();
          }}
        />
      </div>
      {isAdmin ? <AddMember group={all.group} /> : <span />}
      {all.phase === 'failed' ? (
        <Empty title={t().list.failed} />
      ) : (
        <ul className={styles.members} aria-busy={all.phase === 'loading'}>
          {sorted.map((member) => (
            <MemberRow key={member.user} member={member} me={open.client.me} />
          ))}
        </ul>
      )}
      {role !== null && (
        <div className={styles.foot}>
          {isAdmin && <Rename key={title} open={open} title={title} isOpen={all.isOpen} name={all.group} />}
          {leaveGroup.isEnabled() && (
            <Button kind="danger" onClick={() => leaveGroup.run()}>
              {t().action.leave}
            </Button>
          )}
        </div>
      )}
    </section>
  );
}

function MemberRow({ member, me }: { member: Member; me: string }) {
  const { group, action } = t();
  const items = memberActions.filter((one) => one.isEnabled(member)).map((one) => ({ id: one.id, label: action[one.id], run: () => one.run(member) }));
  const isSame = member.display_name === member.user;
  return (
    <li className={styles.member}>
      <Avatar id={member.user} name={member.display_name} />
      <span className={styles.lines}>
        <span className={styles.name}>
          <bdi>{member.display_name}</bdi>
          {member.user === me && ` (${group.you})`}
        </span>
        <span className={styles.role}>
          {group[member.role]}
          {!isSame && (
            <>
              {' · '}
              <bdi>@{member.user}</bdi>
            </>
          )}
        </span>
      </span>
      {items.length > 0 && <MenuButton label={group.moreFor(member.display_name)} items={items} />}
    </li>
  );
}

function Rename({ open, title, name, isOpen }: { open: OpenConversation; title: string; name: string; isOpen: boolean }) {
  const [next, setNext] = useState(title);
  const { group } = t();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (next.trim() !== '' && next.trim() !== title) void change(open.client.updateGroup(name, { title: next.trim() }));
      }}
    >
      <div className={styles.rename}>
        <Field label={group.title} name="title" value={next} onValue={setNext} maxLength={128} />
        <Button type="submit" disabled={next.trim() === '' || next.trim() === title}>
          {t().action.rename}
        </Button>
      </div>
      <label className={styles.option}>
        <input type="checkbox" checked={isOpen} onChange={(event) => void change(open.client.updateGroup(name, { open: event.currentTarget.checked }))} />
        {group.open}
      </label>
    </form>
  );
}
