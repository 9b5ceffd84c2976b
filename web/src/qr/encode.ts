// Text as a QR code, drawn as one path.

import { html, svg, type TemplateResult } from 'lit-html';
import encodeQR from 'qr';

const QUIET_ZONE = 4;

/** Draws a code. Uppercase texts take the alphanumeric mode, which needs a quarter fewer modules. */
export function qrCode(text: string, label: string): TemplateResult {
  const { side, path } = drawing(text);
  return html`<svg class="qr" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges" role="img" aria-label=${label} data-testid="qr" data-text=${text}>
    ${svg`<rect width=${side} height=${side} fill="#fff" /><path d=${path} fill="#000" />`}
  </svg>`;
}

interface Drawing {
  text: string;
  side: number;
  path: string;
}

// The page is drawn anew each second; the code on it stays the same.
let last: Drawing | undefined;

function drawing(text: string): Drawing {
  if (last?.text === text) return last;
  const rows = encodeQR(text, 'raw', { border: QUIET_ZONE, ecc: text.length > 300 ? 'low' : 'medium' });
  last = { text, side: rows.length, path: rows.map(rowPath).join('') };
  return last;
}

function rowPath(row: boolean[], y: number): string {
  let drawn = '';
  for (let x = 0; x < row.length; x += 1) {
    if (!row[x]) continue;
    const from = x;
    while (row[x + 1]) x += 1;
    drawn += `M${from} ${y}h${x - from + 1}v1H${from}z`;
  }
  return drawn;
}
