import { verify as verifyStore } from '../../store/verify.ts';
import type { Handler } from '../context.ts';

export const verify: Handler<'verify'> = ({ node, progress }) => verifyStore(node.store.scan(), progress ?? (() => undefined));
