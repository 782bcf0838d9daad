import type { Answer } from '@parlance/schema/calls';

/** What the server itself finds wrong with its store. `token`: an administrator's. */
export async function verifyStore(url: string, token: string): Promise<Answer<'verify'>> {
  const response = await fetch(`${url}/v1/admin/verify`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const lines = (await response.text()).trim().split('\n');
  const last = JSON.parse(lines.at(-1)!) as Answer<'verify'> & { code?: string };
  if (last.code !== undefined) throw new Error(`verify was refused: ${last.code}`);
  return last;
}
