import MarkdownIt from 'markdown-it';
import type { Node, NodeType } from './node.ts';

// From the text of a message to a small tree of what the app draws: bold, italic, struck, code, links, lists, quotes. The parser's own renderer is never used, for
// it makes HTML; neither headings, tables, pictures nor HTML itself mean anything here, and stay the characters that they are.

const parser = new MarkdownIt('default', { html: false, linkify: true, breaks: true, typographer: false, maxNesting: 20 } as object);
parser.disable(['heading', 'lheading', 'table', 'hr', 'html_block', 'html_inline', 'image', 'reference', 'code', 'entity']);
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

/** To the web or to a mailbox, and nowhere else. */
const goodHref = /^(?:https?:\/\/|mailto:)[^\s]+$/i;
parser.validateLink = (href) => goodHref.test(href);

const types: Record<string, NodeType> = {
  paragraph: 'paragraph',
  strong: 'strong',
  em: 'em',
  s: 'del',
  link: 'link',
  bullet_list: 'bullets',
  ordered_list: 'numbers',
  list_item: 'item',
  blockquote: 'quote',
};

interface Token {
  type: string;
  nesting: number;
  content: string;
  hidden: boolean;
  children: Token[] | null;
  attrGet(name: string): string | null;
}

/** The tree of a text. Never throws: what is no markup is text. */
export function parse(text: string): Node[] {
  const root: Node[] = [];
  build(parser.parse(text, {}) as unknown as Token[], root);
  return root;
}

function build(tokens: readonly Token[], root: Node[]): void {
  const open: Node[][] = [root];
  const put = (node: Node): void => void open.at(-1)!.push(node);
  for (const token of tokens) {
    const type = types[token.type.replace(/_(open|close)$/, '')];
    if (token.nesting === 1) {
      const children: Node[] = [];
      if (type !== undefined) {
        const href = type === 'link' ? token.attrGet('href') : null;
        const start = type === 'numbers' ? Number(token.attrGet('start') ?? 1) : null;
        // The paragraph of an item of a tight list is hidden: its words belong to the item itself.
        if (token.hidden) {
          open.push(open.at(-1)!);
          continue;
        }
        put({ type, children, ...(href !== null && { href }), ...(start !== null && { start }) });
      }
      open.push(type === undefined ? open.at(-1)! : children);
    } else if (token.nesting === -1) {
      if (open.length > 1) open.pop();
    } else {
      leaf(token, open.at(-1)!);
    }
  }
}

function leaf(token: Token, into: Node[]): void {
  switch (token.type) {
    case 'inline':
      build(token.children ?? [], into);
      break;
    case 'softbreak':
    case 'hardbreak':
      into.push({ type: 'break', children: [] });
      break;
    case 'code_inline':
      into.push({ type: 'code', children: [token.content] });
      break;
    case 'fence':
    case 'code_block':
      into.push({ type: 'block', children: [token.content.replace(/\n$/, '')] });
      break;
    default:
      if (token.content !== '') into.push(token.content);
  }
}
