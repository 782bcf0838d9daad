import type { ReactNode } from 'react';
import type { Node } from '../markdown/node.ts';

const element = (node: Exclude<Node, string>, key: number): ReactNode => {
  const children = drawn(node.children);
  switch (node.type) {
    case 'paragraph':
      return <p key={key}>{children}</p>;
    case 'strong':
      return <strong key={key}>{children}</strong>;
    case 'em':
      return <em key={key}>{children}</em>;
    case 'del':
      return <del key={key}>{children}</del>;
    case 'code':
      return <code key={key}>{children}</code>;
    case 'block':
      return (
        <pre key={key} dir="ltr">
          {children}
        </pre>
      );
    case 'bullets':
      return <ul key={key}>{children}</ul>;
    case 'numbers':
      return (
        <ol key={key} start={node.start}>
          {children}
        </ol>
      );
    case 'item':
      return <li key={key}>{children}</li>;
    case 'quote':
      return <blockquote key={key}>{children}</blockquote>;
    case 'break':
      return <br key={key} />;
    case 'link':
      return (
        <a key={key} href={node.href} target="_blank" rel="noopener noreferrer">
          {children}
        </a>
      );
  }
};

const drawn = (nodes: readonly Node[]): ReactNode[] => nodes.map((node, index) => (typeof node === 'string' ? node : element(node, index)));

/** The tree of a message as elements: there is never a string of HTML. */
export const MarkdownText = ({ tree }: { tree: readonly Node[] }) => <>{drawn(tree)}</>;
