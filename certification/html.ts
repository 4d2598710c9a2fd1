import { parseHTML } from 'linkedom';

/** What an element may hold: text, elements, lists of them, or nothing. */
export type Child = string | number | Node | undefined | readonly Child[];

/** A page under construction. It is built as a DOM: text becomes text nodes, never markup. */
export interface HtmlPage {
  readonly document: Document;
  /** An element with attributes and children. */
  h(tag: string, attributes: Readonly<Record<string, string>>, ...children: Child[]): HTMLElement;
  /** The page as one self-contained text without scripts: its policy allows no source but its own styles. */
  text(title: string, css: string, ...children: Child[]): string;
}

/** An empty page in English. */
export function htmlPage(): HtmlPage {
  const { document } = parseHTML('<!doctype html><html lang="en"><head></head><body></body></html>');
  const h: HtmlPage['h'] = (tag, attributes, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    for (const child of (children as unknown[]).flat(9)) {
      if (child !== undefined) {
        element.append(typeof child === 'object' ? (child as Node) : document.createTextNode(String(child)));
      }
    }
    return element;
  };
  return {
    document,
    h,
    text(title, css, ...children) {
      document.head.append(
        h('meta', { charset: 'utf-8' }),
        h('meta', { name: 'viewport', content: 'width=device-width' }),
        h('meta', {
          'http-equiv': 'Content-Security-Policy',
          content: "default-src 'none'; style-src 'unsafe-inline'",
        }),
        // Only words of ours: linkedom writes the text of a title as it is.
        h('title', {}, title),
        h('style', {}, css),
      );
      document.body.append(h('main', {}, children));
      return `<!doctype html>\n${document.documentElement.outerHTML}\n`;
    },
  };
}
