// What has a colour of its own on every panel, by its legend; readable on light and on dark.

const RED = '#d64545';
const ORANGE = '#e8833a';
const AMBER = '#d4a017';
const GREEN = '#3fa45b';
const TEAL = '#2a9d8f';
const BLUE = '#4a90d9';
const VIOLET = '#8f6fd1';
const PINK = '#d05a9b';
const GREY = '#8a94a3';
const BROWN = '#a0744a';

/** For what has none: one after the other. */
export const PALETTE = [BLUE, ORANGE, TEAL, VIOLET, AMBER, PINK, GREEN, BROWN, RED, GREY] as const;

/** By label. Codes: green is success, blue and grey the client's doing, amber a limit, red and its kin a fault. */
export const COLORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  code: {
    '200': GREEN,
    '401': BROWN,
    '405': PINK,
    '406': VIOLET,
    '407': VIOLET,
    '429': AMBER,
    '430': '#b8577e',
    '432': ORANGE,
    '433': TEAL,
    '434': PINK,
    '435': BROWN,
    '436': '#b98d6e',
    '438': '#6f7a8c',
    '439': RED,
    '441': BROWN,
    '444': '#a8328a',
    '445': '#c04f4f',
    '446': '#c2703d',
    '447': '#8a4a9e',
    '449': '#7d6b1f',
    '450': '#99582a',
    '455': GREY,
    '456': BLUE,
    '499': '#b5bcc7',
    '500': '#8c1d2f',
  },
  start: { cold: BLUE, warm: ORANGE },
  state: { starting: AMBER, warm: ORANGE, connected: GREEN },
  stage: { admit: GREY, create: VIOLET, schedule: AMBER, container: BLUE, port: TEAL, handshake: ORANGE },
  direction: { up: BLUE, down: TEAL },
};

/** The colours that the series of a query have by its legend, where that is one label alone. */
export function colorsOf(legend: string): Readonly<Record<string, string>> {
  return COLORS[/^\{\{(\w+)\}\}$/.exec(legend)?.[1] ?? ''] ?? {};
}
