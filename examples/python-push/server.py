"""A function that speaks unasked: it echoes what a client sends, and pushes a text every PUSH_SECONDS (10)."""

import time

started = time.monotonic()  # before the other imports: they are most of the start

import asyncio
import os
import signal
import socket

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

PORT = int(os.environ.get("PORT", "9000"))
PUSH_SECONDS = float(os.environ.get("PUSH_SECONDS", "10"))


async def push(connection):
    """Pushes a numbered text until the connection ends."""
    number = 0
    while True:
        await asyncio.sleep(PUSH_SECONDS)
        number += 1
        await connection.send(f"push {number} at {time.strftime('%H:%M:%S')}")


async def echo(connection):
    """Sends every message back with its type; three texts are questions about this process."""
    answers = {"hostname": socket.gethostname(), "pid": str(os.getpid())}
    pushing = asyncio.create_task(push(connection))
    try:
        async for message in connection:
            await connection.send(answers.get(message, message))
    except ConnectionClosed:
        pass  # the client left, or closed with another code than 1000 and 1001
    finally:
        pushing.cancel()
        await asyncio.gather(pushing, return_exceptions=True)


async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listen_ms = 0
    listening_since = 0.0

    def tell_listen_ms(_connection, _request, response):
        response.headers["X-Listen-Ms"] = str(listen_ms)
        response.headers["X-Listening-Since"] = str(listening_since)

    # Leaving the block closes the sockets with 1001; close_timeout keeps that well within the grace period after SIGTERM.
    async with serve(echo, None, PORT, process_response=tell_listen_ms, close_timeout=1):
        listen_ms = round((time.monotonic() - started) * 1000)
        listening_since = time.time() * 1000
        print(f"listening on port {PORT} after {listen_ms} ms", flush=True)
        await stop.wait()


asyncio.run(main())
