import { useState } from 'react';
import { logOut } from '../actions/log-out.ts';
import { newGroup } from '../actions/new-group.ts';
import { openSettings } from '../actions/open-settings.ts';
import { openSwitcher } from '../actions/open-switcher.ts';
import { Avatar } from '../parts/avatar.tsx';
import { IconButton } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import { lazily } from '../parts/lazy.tsx';
import parts from '../parts/parts.module.css';
import { nameOf, names } from '../state/names.ts';
import { route } from '../state/route.ts';
import { session } from '../state/session.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import { ConversationList } from './conversation-list.tsx';
import styles from './sidebar.module.css';

const PeopleList = lazily(() => import('./people-list.tsx').then(({ PeopleList }) => PeopleList));
const GroupList = lazily(() => import('./group-list.tsx').then(({ GroupList }) => GroupList));

type Tab = 'home' | 'people' | 'groups';

/** The lists: of conversations, people and groups. Which one is shown is the address's; with a conversation open, the one that was shown last stays. */
export function Sidebar() {
  const where = useValue(route);
  const now = useValue(session);
  useValue(names);
  const [tab, setTab] = useState<Tab>('home');
  const [filter, setFilter] = useState('');
  const wanted = where.name === 'home' || where.name === 'people' || where.name === 'groups' ? where.name : tab;
  if (wanted !== tab) {
    setTab(wanted);
    setFilter('');
  }
  if (now.phase !== 'signedIn') return null;
  const { me } = now.client;
  const { list, action } = t();
  const label = { home: list.filter, people: list.peopleFilter, groups: list.groupsFilter }[tab];
  const link = (name: Tab, path: string, text: string) => (
    <a href={path} aria-current={tab === name ? 'page' : undefined}>
      {text}
    </a>
  );
  return (
    <nav className={styles.sidebar} aria-label={list.navigation} data-region>
      {['home', 'people', 'groups'].includes(where.name) && <h1 className={parts.hidden}>{list.navigation}</h1>}
      <div className={styles.top}>
        <span className={styles.me}>
          <Avatar id={me} name={nameOf(me)} size={34} />
          <bdi>{nameOf(me)}</bdi>
        </span>
        <IconButton icon="plus" label={action.newGroup} onClick={() => newGroup.run()} />
        <IconButton icon="gear" label={action.openSettings} onClick={() => openSettings.run()} />
        <IconButton icon="exit" label={action.logOut} isTurned onClick={() => logOut.run()} />
      </div>
      <div className={styles.find}>
        <Icon name="search" size={17} />
        <input
          type="search"
          dir="auto"
          aria-label={label}
          placeholder={label}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || filter === '') return;
            event.preventDefault();
            setFilter('');
          }}
          autoComplete="off"
        />
        <button type="button" aria-label={`${action.openSwitcher}, ${t().keys.ctrl} K`} title={action.openSwitcher} onClick={() => openSwitcher.run()}>
          {t().keys.ctrl} K
        </button>
      </div>
      <div className={styles.tabs}>
        {link('home', '/', list.chats)}
        {link('people', '/people', list.people)}
        {link('groups', '/groups', list.groups)}
      </div>
      <div className={styles.list}>
        {tab === 'home' ? <ConversationList filter={filter} /> : tab === 'people' ? <PeopleList prefix={filter} /> : <GroupList prefix={filter} />}
      </div>
    </nav>
  );
}
