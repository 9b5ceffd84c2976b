import { svg, html, type TemplateResult } from 'lit-html';

const SHAPES = {
  home: 'M4 11.5 12 5l8 6.5M6.5 10v9h11v-9',
  channels: 'M4 8h13m0 0-3.5-3.5M17 8l-3.5 3.5M20 16H7m0 0 3.5-3.5M7 16l3.5 3.5',
  history: 'M12 7.5V12l3 2M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4.5v3.2h3.2',
  settings: 'M4 7h9m5 0h2M4 17h3m5 0h8M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9.5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z',
  send: 'M7 17 17 7M8.5 7H17v8.5',
  receive: 'M17 7 7 17m8.5 0H7V8.5',
  scan: 'M4 8.5V6a2 2 0 0 1 2-2h2.5m7 0H18a2 2 0 0 1 2 2v2.5m0 7V18a2 2 0 0 1-2 2h-2.5m-7 0H6a2 2 0 0 1-2-2v-2.5M4 12h16',
  paste: 'M9 5H7a1.5 1.5 0 0 0-1.5 1.5v12A1.5 1.5 0 0 0 7 20h10a1.5 1.5 0 0 0 1.5-1.5v-12A1.5 1.5 0 0 0 17 5h-2M9 4h6v3H9z',
  image: 'M5 5h14v14H5zM5 16l4-4 3.5 3.5L15 13l4 4M15 9.5h.01',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  check: 'M5 12.5 10 17.5 19 7',
  cross: 'M6 6l12 12M18 6 6 18',
  clock: 'M12 7.5V12l3 2M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16Z',
  warning: 'M12 4 3 19.5h18zM12 10v4.5m0 2.5h.01',
  back: 'M19 12H5m0 0 6-6m-6 6 6 6',
  drop: 'M12 4s6 6.2 6 10.2a6 6 0 0 1-12 0C6 10.2 12 4 12 4Z',
  peers: 'M12 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm-6.5 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Zm13 0a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM10.7 9.2l-4 5.6m6.6-5.6 4 5.6M8 17h8',
  lock: 'M6.5 11h11v9h-11zM9 11V8a3 3 0 0 1 6 0v3',
  plus: 'M12 5v14M5 12h14',
  block: 'M12 3.5 19.5 8v8L12 20.5 4.5 16V8zM4.5 8l7.5 4.5L19.5 8M12 12.5v8',
} as const;

export type IconName = keyof typeof SHAPES;

/** A drawing beside words; screen readers pass over it. */
export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${svg`<path d=${SHAPES[name]} />`}</svg>`;
}

export function mark(): TemplateResult {
  return html`<svg class="mark" viewBox="12 6 44 50" aria-hidden="true" focusable="false">
    <path class="mark-sail" d="M34 9 52 27 31 43 16 24z" /><path class="mark-fold" d="M34 9 31 43 16 24z" />
    <path class="mark-tail" d="M31 43c-9 2-3 9-11 11" />
  </svg>`;
}
