// The page of the terminal: one WebSocket, one xterm.js. `npm run generate` puts it, page.html, page.css and xterm.js into
// ../index.html, where Terminal, FitAddon and MEANINGS (close texts of the platform and what they mean) stand before it.

/** Bytes that xterm.js has not drawn yet: over the first the shell is asked to pause, under the second to go on. */
const PAUSE_BYTES = 1024 * 1024;
const RESUME_BYTES = 256 * 1024;
/** Keys within this time share a message, for the sake of maxMessagesPerSecond (ms). */
const GATHER_MS = 20;
/** Bytes of a message; well under maxMessageBytes. */
const MESSAGE_BYTES = 64 * 1024;
const LOCAL = 'ws://127.0.0.1:8080/default/terminal';

const $ = (id) => document.getElementById(id);
const [form, address, key, button, status, end] = ['form', 'address', 'key', 'button', 'status', 'end'].map($);

const terminal = new Terminal({
  cursorBlink: true,
  fontFamily: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSize: 14,
  scrollback: 10_000,
  theme: { background: '#0d1117', foreground: '#e6edf3', cursor: '#e6edf3', selectionBackground: '#2f81f766' },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.open($('screen'));
globalThis.terminal = terminal; // for the console, and the tests

/** The connection; undefined while there is none. */
let link;

// ---- The connection ----

/** The address with the key in its query: a script in a browser can set no header. */
function withKey(text, token) {
  const url = new URL(text.trim().replace(/^http/, 'ws'));
  if (!/^wss?:$/.test(url.protocol)) throw new Error('The address begins with ws:// or wss://.');
  url.hash = '';
  if (token !== '') url.search += `${url.search === '' ? '?' : '&'}access_token=${encodeURIComponent(token)}`;
  return url.href;
}

function connect() {
  link?.socket.close(1000);
  remember();
  let socket;
  try {
    socket = new WebSocket(withKey(address.value, key.value));
  } catch (error) {
    showEnd({ code: '', title: 'This address cannot be used', text: error.message, detail: '' });
    return;
  }
  socket.binaryType = 'arraybuffer';
  const mine = { socket, since: performance.now(), opened: false, asked: false, undrawn: 0, paused: false, keys: [], timer: undefined };
  link = mine;
  terminal.reset();
  show('opening');
  socket.onopen = () => {
    mine.opened = true;
    mine.since = performance.now();
    show('open');
    resized();
    terminal.focus();
  };
  socket.onmessage = ({ data }) => draw(mine, typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data));
  socket.onclose = ({ code, reason }) => {
    clearTimeout(mine.timer);
    if (link !== mine) return; // another one has taken its place
    link = undefined;
    terminal.write('', () => link === undefined && showEnd(endOf(mine, code, reason))); // behind what is still to be drawn
  };
}

/** Draws what the shell wrote, and lets it wait when it writes faster than that: nothing else holds a browser's socket back. */
function draw(mine, bytes) {
  mine.undrawn += bytes.length;
  if (mine.undrawn > PAUSE_BYTES) pause(mine, true);
  terminal.write(bytes, () => {
    mine.undrawn -= bytes.length;
    if (mine.undrawn < RESUME_BYTES) pause(mine, false);
  });
}

function pause(mine, paused) {
  if (mine.paused === paused || mine.socket.readyState !== WebSocket.OPEN) return;
  mine.paused = paused;
  mine.socket.send(JSON.stringify({ pause: paused }));
}

/** Sends keys at once, or with those that follow within GATHER_MS. */
function type(bytes) {
  if (!link?.opened) return;
  link.keys.push(bytes);
  link.timer ??= setTimeout(flush, performance.now() - (link.sentAt ?? 0) < GATHER_MS ? GATHER_MS : 0, link);
}

function flush(mine) {
  mine.timer = undefined;
  mine.sentAt = performance.now();
  const bytes = new Uint8Array(mine.keys.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of mine.keys.splice(0)) {
    bytes.set(part, at);
    at += part.length;
  }
  for (at = 0; at < bytes.length; at += MESSAGE_BYTES) mine.socket.send(bytes.subarray(at, at + MESSAGE_BYTES));
}

function resized() {
  if (link?.opened) link.socket.send(JSON.stringify({ resize: { cols: terminal.cols, rows: terminal.rows } }));
}

// ---- How it ended ----

/** The end in words. A reason text of the platform begins with the function code; other codes are the shell's own, or ours. */
function endOf({ opened, asked }, code, reason) {
  const [words, id] = reason.split('; id ');
  const detail = `close code ${code}${id === undefined ? '' : `, request id ${id}`}`;
  const meaning = MEANINGS[words];
  if (meaning !== undefined) return { code: words.slice(0, 3), title: words.slice(4), text: `${sentence(meaning)}.`, detail };
  if (asked) return { code: opened ? '200' : '499', title: 'You disconnected', text: '', detail, good: true };
  if (!opened) {
    const text =
      'The browser does not tell a page why. Is the address right? Does the function allow this page, and let refusals be read (refuseWith: CloseFrame)? `socketpod connect` tells more.';
    return { code: '', title: 'No connection', text, detail: '' };
  }
  if (code === 1006) return { code: '', title: 'The connection was lost', text: 'It broke without a close frame.', detail: '' };
  if (code === 1000) return { code: '200', title: 'The shell ended', text: `${sentence(reason)}.`, detail, good: true };
  return { code: '439', title: 'The shell ended', text: reason === '' ? 'It gave no reason.' : `${sentence(reason)}.`, detail };
}

function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function showEnd({ code, title, text, detail, good = false }) {
  show('ended');
  $('code').textContent = code;
  $('title').textContent = title;
  $('text').textContent = text;
  $('detail').textContent = detail;
  end.toggleAttribute('data-good', good);
  end.hidden = false;
  $('again').focus();
}

// ---- The page ----

function show(state) {
  document.body.dataset.state = state;
  end.hidden = true;
  terminal.options.disableStdin = state !== 'open';
  terminal.options.cursorBlink = state === 'open';
  button.textContent = { opening: 'Cancel', open: 'Disconnect' }[state] ?? 'Connect';
  tell();
}

function tell() {
  const seconds = Math.floor((performance.now() - (link?.since ?? 0)) / 1000);
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map((part) => String(Math.floor(part)).padStart(2, '0')).join(':');
  status.textContent = {
    idle: 'not connected',
    opening: seconds < 2 ? 'connecting' : `waiting for a pod, ${seconds} s`,
    open: `${terminal.cols} × ${terminal.rows}, ${clock}`,
    ended: 'ended',
  }[document.body.dataset.state];
}

/** The address in the fragment, so that the page with it can be a bookmark; the key in this tab alone, until it is closed. */
function remember() {
  history.replaceState(null, '', `#${address.value}`);
  try {
    sessionStorage.setItem('key', key.value);
  } catch {} // a browser may forbid it
}

function recall() {
  address.value = decodeURI(location.hash.slice(1)) || LOCAL;
  try {
    key.value = sessionStorage.getItem('key') ?? '';
  } catch {}
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (link === undefined) {
    connect();
    return;
  }
  link.asked = true;
  link.socket.close(1000);
});
$('again').addEventListener('click', connect);
terminal.onData((text) => type(new TextEncoder().encode(text)));
terminal.onBinary((text) => type(Uint8Array.from(text, (char) => char.charCodeAt(0))));
terminal.onResize(() => {
  resized();
  tell();
});
terminal.onTitleChange((title) => {
  document.title = title || 'Terminal';
});

// As terminals have it: Ctrl+C and Ctrl+V are keys of the shell, with Shift they copy and paste. Cmd on a Mac is the browser's own.
terminal.attachCustomKeyEventHandler((event) => {
  if (!event.ctrlKey || !event.shiftKey || event.type !== 'keydown') return true;
  if (event.code === 'KeyV') return false; // the browser pastes
  if (event.code !== 'KeyC') return true;
  event.preventDefault(); // else the browser opens its tools
  if (terminal.hasSelection()) document.execCommand('copy'); // as navigator.clipboard is not there on a page of plain http
  return false;
});
addEventListener('beforeunload', (event) => {
  if (link?.opened) event.preventDefault(); // Ctrl+W deletes a word in a shell, and closes a tab
});
new ResizeObserver(() => fit.fit()).observe($('screen'));
setInterval(tell, 1000);
recall();
show('idle');
