// Markdown on the page: elements that React makes, of what lib/markdown.ts found. No HTML of the text is taken for any, and
// links go out by OutsideLink, with their address in sight.
import { Fragment, useMemo } from "react";
import { type Block, type Inline, parseMarkdown } from "../lib/markdown";
import { OutsideLink } from "./outside-link";
import { Wide } from "./wide";

const mostShown = 256 * 1024; // characters

export function Markdown({ text }: { text: string }) {
  const blocks = useMemo(() => parseMarkdown(text.slice(0, mostShown)), [text]);
  return (
    <div className="prose wrap-anywhere">
      <Blocks blocks={blocks} />
      {text.length > mostShown && <p className="text-muted">… the rest is not shown here; the source has all of it.</p>}
    </div>
  );
}

function Blocks({ blocks }: { blocks: Block[] }) {
  return blocks.map((block, index) => <One key={index} block={block} />);
}

// Of the page's own headings there are two levels above those of a text.
const headings = ["h3", "h4", "h5", "h6", "h6", "h6"] as const;

function One({ block }: { block: Block }) {
  switch (block.kind) {
    case "heading": {
      const Heading = headings[block.level - 1] ?? "h6";
      return (
        <Heading>
          <Inlines inlines={block.children} />
        </Heading>
      );
    }
    case "paragraph":
      return (
        <p>
          <Inlines inlines={block.children} />
        </p>
      );
    case "code":
      return (
        <Wide name="Code" role="group" className="code">
          <pre>
            <code>{block.text}</code>
          </pre>
        </Wide>
      );
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.blocks} />
        </blockquote>
      );
    case "list": {
      const items = block.items.map((item, index) => (
        <li key={index}>
          <Blocks blocks={item} />
        </li>
      ));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case "table":
      return (
        <Wide name="Table" role="group">
          <table className="plain">
            <thead>
              <tr>
                {block.head.map((cell, index) => (
                  <th key={index} scope="col">
                    <Inlines inlines={cell} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, index) => (
                <tr key={index}>
                  {row.map((cell, column) => (
                    <td key={column}>
                      <Inlines inlines={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Wide>
      );
    case "rule":
      return <hr />;
  }
}

function Inlines({ inlines }: { inlines: Inline[] }) {
  return inlines.map((inline, index) => <Mark key={index} inline={inline} />);
}

function Mark({ inline }: { inline: Inline }) {
  switch (inline.kind) {
    case "text":
      return <Fragment>{inline.text}</Fragment>;
    case "code":
      return <code>{inline.text}</code>;
    case "strong":
      return (
        <strong>
          <Inlines inlines={inline.children} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Inlines inlines={inline.children} />
        </em>
      );
    case "link": {
      const only = inline.children.length === 1 ? inline.children[0] : undefined;
      const saysWhere = only?.kind === "text" && only.text === inline.url;
      return (
        <>
          <OutsideLink url={inline.url}>
            <Inlines inlines={inline.children} />
          </OutsideLink>
          {!saysWhere && <span className="text-xs text-muted"> ({inline.url})</span>}
        </>
      );
    }
  }
}
