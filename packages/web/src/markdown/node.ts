export type NodeType = 'paragraph' | 'strong' | 'em' | 'del' | 'link' | 'bullets' | 'numbers' | 'item' | 'quote' | 'break' | 'code' | 'block';

/** Part of a message: text, or something that holds parts. */
export type Node = string | { readonly type: NodeType; readonly href?: string; readonly start?: number; readonly children: readonly Node[] };
