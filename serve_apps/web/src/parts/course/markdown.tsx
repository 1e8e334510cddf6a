/** A statement in Markdown, drawn element by element: HTML in it stays text, and pictures become links to them. */
import type { Token, Tokens } from "marked";
import { createElement, Fragment, type JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { FormulaToken } from "../../course/formulas";
import { blocks, headingLevels, plain, safeAddress } from "../../course/markdown";
import { Formula } from "./formula";

interface Props {
  text: string;
  /** Level of the heading that the text is below. */
  below?: number;
}

export function Markdown({ text, below = 2 }: Props) {
  const [tokens, levels] = useMemo(() => {
    const found = blocks(text);
    return [found, headingLevels(found, below)] as const;
  }, [text, below]);
  return (
    <div class="markdown">
      {tokens.map((token, index) =>
        token.type === "heading" ? (
          <Fragment key={index}>
            {createElement(`h${levels.get(token) ?? 6}`, null, inline((token as Tokens.Heading).tokens))}
          </Fragment>
        ) : (
          <Block key={index} token={token} />
        ),
      )}
    </div>
  );
}

function Block({ token }: { token: Token }): JSX.Element | null {
  switch (token.type) {
    case "paragraph":
      return <p>{inline((token as Tokens.Paragraph).tokens)}</p>;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return <>{tokens ? inline(tokens) : plain(text)}</>;
    }
    case "code":
      return <Code {...(token as Tokens.Code)} />;
    case "blockquote":
      return <blockquote>{all((token as Tokens.Blockquote).tokens)}</blockquote>;
    case "list":
      return <List {...(token as Tokens.List)} />;
    case "table":
      return <Table {...(token as Tokens.Table)} />;
    case "heading":
      return (
        <p>
          <strong>{inline((token as Tokens.Heading).tokens)}</strong>
        </p>
      );
    case "hr":
      return <hr />;
    case "html":
      return <p>{(token as Tokens.HTML).text}</p>;
    default:
      return null;
  }
}

const all = (tokens: readonly Token[]) => tokens.map((token, index) => <Block key={index} token={token} />);

function Code({ text, lang }: Pick<Tokens.Code, "text" | "lang">) {
  const label = lang ? `Code, ${lang}` : "Code";
  return (
    // biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark
    <pre role="group" tabIndex={0} aria-label={label}>
      {text}
    </pre>
  );
}

function List({ ordered, start, items }: Pick<Tokens.List, "ordered" | "start" | "items">) {
  const rows = items.map((item, index) => (
    <li key={index}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} disabled aria-label="Done" />}
      {all(item.tokens)}
    </li>
  ));
  return ordered ? <ol start={start === "" ? 1 : start}>{rows}</ol> : <ul>{rows}</ul>;
}

function Table({ header, rows }: Pick<Tokens.Table, "header" | "rows">) {
  return (
    // biome-ignore lint/a11y: what scrolls must be reachable by keyboard, and is no landmark
    <div class="scroll" role="group" tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>
            {header.map((cell, index) => (
              <th scope="col" key={index}>
                {inline(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{inline(cell.tokens)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const inline = (tokens: readonly Token[] = []) => tokens.map((token, index) => <Inline key={index} token={token} />);

function Inline({ token }: { token: Token }): JSX.Element | null {
  switch (token.type) {
    case "strong":
      return <strong>{inline((token as Tokens.Strong).tokens)}</strong>;
    case "em":
      return <em>{inline((token as Tokens.Em).tokens)}</em>;
    case "del":
      return <del>{inline((token as Tokens.Del).tokens)}</del>;
    case "codespan":
      return <code>{(token as Tokens.Codespan).text}</code>;
    case "br":
      return <br />;
    case "formula": {
      const { tex, display } = token as unknown as FormulaToken;
      return <Formula key={tex} tex={tex} display={display} />;
    }
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      return <Link href={href}>{inline(tokens)}</Link>;
    }
    case "image": {
      const { href, text } = token as Tokens.Image;
      return <Link href={href}>{text || "Picture"}</Link>;
    }
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return <>{tokens ? inline(tokens) : plain(text)}</>;
    }
    default:
      return <>{"text" in token && typeof token.text === "string" ? token.text : token.raw}</>;
  }
}

function Link({ href, children }: { href: string; children: JSX.Element[] | string }) {
  const address = safeAddress(href);
  return address === null ? (
    <span>{children}</span>
  ) : (
    <a href={address} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
