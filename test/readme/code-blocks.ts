/** The fenced blocks of a Markdown text, with the words after their opening fence. */
export interface CodeBlock {
  readonly info: string;
  readonly code: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: info = "", 2: code = "" }) => ({
    info,
    code,
    line: markdown.slice(0, index).split("\n").length + 1,
  }));
}

/** The one-line command lines in running text: `l7prof doctor`. */
export function inlineCommands(markdown: string): string[] {
  const prose = markdown.replace(/^```.*\n[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/`((?:sudo )?l7prof [^`]+)`/g)].map(([, command]) => command!.replace(/\s+/g, " "));
}
