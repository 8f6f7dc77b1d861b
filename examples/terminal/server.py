"""A shell for each connection: one connection, one pty, one shell, which ends with the connection.

Binary messages are the terminal's bytes, both ways. Text messages are JSON for the server: {"resize": {"cols": 80, "rows": 24}},
{"pause": true} and {"pause": false} for a client that cannot draw as fast as the shell writes.
"""

import time

started = time.monotonic()  # before the other imports: they are most of the start

import asyncio
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import termios

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

PORT = int(os.environ.get("PORT", "9000"))
SHELL = os.environ.get("TERMINAL_SHELL") or ("/bin/bash" if os.access("/bin/bash", os.X_OK) else "/bin/sh")
HOME = os.path.expanduser("~")

CHUNK_BYTES = 64 * 1024  # of a message to the client; maxMessageBytes is 256 KiB unless the function says otherwise
INPUT_BYTES = 1024 * 1024  # typed or pasted but not yet taken by the terminal; beyond it nothing more is read from the client
HANGUP_SECONDS = 1  # between the hang-up and SIGKILL; well within the grace period of a pod

shells = {}  # process id -> future of the exit status


def reap():
    """Takes the status of every process that ended: as process 1 of a container we inherit the orphans of the shell."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in shells:
            shells.pop(pid).set_result(os.waitstatus_to_exitcode(status))


class Terminal:
    """A pty with a shell on it."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.exited = self.loop.create_future()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            become_shell()
        shells[self.pid] = self.exited
        os.set_blocking(self.fd, False)
        self.resize(80, 24)  # until the client says its own
        self.pending = bytearray()
        self.taken = asyncio.Event()  # there is room in `pending`
        self.reading = asyncio.Event()  # the client wants output
        self.taken.set()
        self.reading.set()
        self.paused = False

    async def output(self):
        """The next bytes that the shell wrote, at most CHUNK_BYTES; empty when there will be none."""
        await self.reading.wait()
        chunk = bytearray()
        while len(chunk) < CHUNK_BYTES:
            try:
                data = os.read(self.fd, CHUNK_BYTES - len(chunk))
            except BlockingIOError:
                if chunk:
                    break
                await readable(self.loop, self.fd)
                continue
            except OSError:  # EIO: nobody has the terminal open any more
                data = b""
            if not data:
                break
            chunk += data
        return bytes(chunk)

    async def input(self, data):
        """Gives bytes to the shell; waits only while too many are not taken yet."""
        if not self.pending:
            self.loop.add_writer(self.fd, self.write)
        self.pending += data
        if len(self.pending) > INPUT_BYTES:
            self.taken.clear()
            self.let_output()
            await self.taken.wait()

    def write(self):
        """The terminal takes input."""
        try:
            del self.pending[: os.write(self.fd, self.pending[:CHUNK_BYTES])]
        except BlockingIOError:
            return
        except OSError:
            self.pending.clear()  # the shell is gone
        if not self.pending:
            self.loop.remove_writer(self.fd)
        if len(self.pending) <= INPUT_BYTES and not self.taken.is_set():
            self.taken.set()
            self.let_output()

    def pause(self, paused):
        """The client asks for no more output, or for it again."""
        self.paused = paused
        self.let_output()

    def let_output(self):
        # Not while the client's input has to wait: a shell that cannot write does not read, and the client's end of the pause
        # would wait behind that input for ever.
        if self.paused and self.taken.is_set():
            self.reading.clear()
        else:
            self.reading.set()

    def resize(self, cols, rows):
        """Tells the shell and its job of a new size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    async def end(self):
        """Hangs up, as a modem did: the shell and its foreground job get SIGHUP, and SIGKILL if they stay. Frees the pty."""
        self.loop.remove_reader(self.fd)
        self.loop.remove_writer(self.fd)
        groups = {self.pid, foreground(self.fd)} - {0}
        os.close(self.fd)
        signal_groups(groups, signal.SIGHUP)
        await asyncio.wait([self.exited], timeout=HANGUP_SECONDS)
        signal_groups(groups, signal.SIGKILL)
        await self.exited


def become_shell():
    """In the child: its terminal is already standard input, output and error."""
    try:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and that would be inherited
        os.chdir(HOME)
        environment = {**os.environ, "TERM": "xterm-256color", "HOME": HOME, "SHELL": SHELL, "LANG": os.environ.get("LANG", "C.UTF-8")}
        os.execve(SHELL, [os.path.basename(SHELL)], environment)
    except OSError as error:
        os.write(2, f"{error}\r\n".encode())
    os._exit(127)  # what a shell says of a command that it cannot start


def foreground(fd):
    """The process group that the terminal's keys reach; 0 if there is none."""
    try:
        return max(os.tcgetpgrp(fd), 0)
    except OSError:
        return 0


def signal_groups(groups, number):
    for group in groups:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            pass


async def readable(loop, fd):
    """Waits until there is something to read."""
    ready = loop.create_future()
    loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(fd)


def close_of(status):
    """The close code and reason of a shell's end: 1000, or 4000 and the status as another shell would tell it."""
    if status == 0:
        return 1000, "the shell exited"
    if status < 0:
        return 4128 - status, f"the shell was killed by {signal.Signals(-status).name}"
    return 4000 + status, f"the shell exited with status {status}"


def control(terminal, text):
    """Does what a text message asks for; what it does not know it leaves alone."""
    message = json.loads(text)
    if "resize" in message:
        terminal.resize(message["resize"]["cols"], message["resize"]["rows"])
    if "pause" in message:
        terminal.pause(message["pause"] is True)


async def take_input(connection, terminal):
    """From the client to the shell, until the client is gone."""
    async for message in connection:
        if isinstance(message, bytes):
            await terminal.input(message)
            continue
        try:
            control(terminal, message)
        except (ValueError, TypeError, KeyError, RecursionError, struct.error):
            await connection.close(1008, "not a control message; bytes for the shell go in binary messages")
            return


async def send_output(connection, terminal):
    """From the shell to the client, no faster than it takes it, until the shell has nothing more to say."""
    while data := await terminal.output():
        await connection.send(data)


async def serve_shell(connection):
    terminal = Terminal()
    # The last one for a connection that ends while input waits, as nothing is read then.
    parts = send_output(connection, terminal), take_input(connection, terminal), connection.wait_closed()
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await terminal.end()
    await connection.close(*close_of(terminal.exited.result()))  # nothing happens if the client closed first


def listener():
    """A socket on all interfaces, of both families where there are two."""
    if socket.has_dualstack_ipv6():
        return socket.create_server(("", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", PORT))


async def main():
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_signal_handler(signal.SIGCHLD, reap)
    # No pings of our own: the answer of a client that is busy drawing, or pasting, comes late, and the platform finds those that
    # are gone. No compression: it would cost more of a small pod than it saves. Leaving the block closes with 1001.
    async with serve(serve_shell, sock=listener(), ping_interval=None, compression=None, close_timeout=1):
        print(f"listening on port {PORT} after {(time.monotonic() - started) * 1000:.0f} ms", flush=True)
        await stop.wait()


asyncio.run(main())
