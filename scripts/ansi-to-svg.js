// A screen as `tmux capture-pane -e -p` gives it on stdin, as an SVG on stdout: node scripts/ansi-to-svg.js COLUMNS TITLE
// Text stays text, so a picture is a few KB and can be searched. Knows what l7prof writes: 16 colours, bold, dim, inverse.
import { readFileSync } from "node:fs";

/** As high as a glyph of the font, so that blocks join. */
const CELL = { width: 8.4, height: 16.4, fontSize: 14 };
const PADDING = 12;
const BACKGROUND = "#16181d";
const FOREGROUND = "#d5d8de";
const COLORS = ["#16181d", "#f2777a", "#8fc97f", "#ffcc66", "#6ab0f3", "#cc99cc", "#66cccc", "#d5d8de"];

const text = readFileSync(0, "utf8").replace(/\n$/, "");
const lines = text.split("\n");
const columns = Number(process.argv[2]);
const title = process.argv[3];

/** Runs of characters that look the same, each with its column. */
function runsOf(line, style) {
  const runs = [];
  let column = 0;
  for (const [, codes, characters] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (characters === undefined) {
      for (const code of codes.split(";")) apply(Number(code), style);
    } else {
      runs.push({ ...style, column, characters });
      column += characters.length;
    }
  }
  return runs;
}

function apply(code, style) {
  if (code === 0) Object.assign(style, PLAIN);
  else if (code === 1) style.bold = true;
  else if (code === 2) style.dim = true;
  else if (code === 22) Object.assign(style, { bold: false, dim: false });
  else if (code === 7) style.inverse = true;
  else if (code === 27) style.inverse = false;
  else if (code >= 30 && code <= 37) style.color = COLORS[code - 30];
  else if (code === 39) style.color = FOREGROUND;
}

const PLAIN = { bold: false, dim: false, inverse: false, color: FOREGROUND };

function svgOf({ column, characters, bold, dim, inverse, color }, row) {
  const x = PADDING + column * CELL.width;
  const y = PADDING + row * CELL.height;
  const width = characters.length * CELL.width;
  const box = `<rect x="${x}" y="${y}" width="${width}" height="${CELL.height}" fill="${color}"/>`;
  if (characters.trim() === "") return inverse ? box : "";
  const look = [
    `fill="${inverse ? BACKGROUND : color}"`,
    ...(bold ? ['font-weight="bold"'] : []),
    ...(dim ? ['opacity="0.6"'] : []),
  ].join(" ");
  // Blanks that are not drawn together.
  const escaped = characters.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(" ", "\u00a0");
  // The length is set, so that a font of another width does not bend the columns.
  const place = `x="${x}" y="${y + CELL.height - 4}" textLength="${width}" lengthAdjust="spacingAndGlyphs"`;
  return `${inverse ? box : ""}<text ${place} ${look}>${escaped}</text>`;
}

const width = columns * CELL.width + 2 * PADDING;
const height = lines.length * CELL.height + 2 * PADDING;
const style = { ...PLAIN };
const body = lines.map((line, row) =>
  runsOf(line, style)
    .map((run) => svgOf(run, row))
    .join(""),
);
const font = `font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${CELL.fontSize}"`;
console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<title>${title}</title>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<g ${font}>
${body.filter(Boolean).join("\n")}
</g>
</svg>`);
