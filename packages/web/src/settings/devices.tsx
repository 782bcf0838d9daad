import { type Answer, type Parlance, ParlanceError } from '@parlance/sdk';
import { useEffect, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { toast } from '../state/toasts.ts';
import { exactTime, sentenceOf, t } from '../text/language.ts';
import styles from './settings.module.css';

type Device = Answer<'list_sessions'>['sessions'][number];

/** What a browser says of itself, as short as people would: “Firefox, Linux”. */
export function deviceName(userAgent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)/.exec(userAgent)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent)?.[1];
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  const said = [browser, system].filter((one) => one !== undefined).map((one) => names[one] ?? one);
  return said.length > 0 ? said.join(', ') : userAgent.slice(0, 40) || t().settings.unknownDevice;
}

/** Where one is logged in; each can be ended from here, and all but this one at once. */
export function Devices({ client }: { client: Parlance }) {
  const [devices, setDevices] = useState<readonly Device[] | 'failed'>([]);
  const { settings } = t();
  const read = (): void => {
    client.rest.call('list_sessions', {}).then(
      ({ sessions }) => setDevices([...sessions].reverse()),
      () => setDevices('failed'),
    );
  };
  useEffect(read, [client]);

  const end = async (ended: readonly Device[]): Promise<void> => {
    try {
      for (const { session_id } of ended) await client.rest.call('end_session', { session_id });
    } catch (refused) {
      if (!(refused instanceof ParlanceError)) throw refused;
      toast(sentenceOf(refused.problem));
    }
    read();
  };

  const others = devices === 'failed' ? [] : devices.filter(({ current }) => !current);
  return (
    <section className={styles.part}>
      <h2>{settings.devices}</h2>
      {devices === 'failed' ? (
        <Empty title={t().list.failed} onRetry={read} />
      ) : (
        <ul>
          {devices.map((device) => (
            <li key={device.session_id} className={styles.device}>
              <div>
                <p>
                  <bdi>{deviceName(device.user_agent)}</bdi>
                </p>
                <p>{device.current ? settings.thisDevice : settings.since(exactTime(new Date(device.created_time)))}</p>
              </div>
              {!device.current && (
                <Button onClick={() => void end([device])} aria-label={settings.endLabel(deviceName(device.user_agent))}>
                  {settings.end}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {others.length > 1 && (
        <div>
          <Button kind="danger" onClick={() => void end(others)}>
            {settings.endOthers}
          </Button>
        </div>
      )}
    </section>
  );
}
