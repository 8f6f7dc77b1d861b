# A client on Python's websockets that goes on sending until it sees the end. See still-sending.ts.
import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def send(socket, kind, size, every):
    payload = bytes(size)
    while True:
        try:
            await (socket.ping() if kind == "ping" else socket.send(payload))
        except ConnectionClosed:
            pass  # only the reader tells how it ended
        await asyncio.sleep(every)


async def main(url, kind, size, every_ms):
    result = {"opened": False, "code": 1006, "reason": "", "error": ""}
    try:
        async with asyncio.timeout(30):
            async with connect(url, open_timeout=10, ping_interval=None) as socket:
                result["opened"] = True
                sender = asyncio.create_task(send(socket, kind, int(size), int(every_ms) / 1000))
                try:
                    while True:
                        await socket.recv()
                except ConnectionClosed as closed:
                    if closed.rcvd is None:
                        result["error"] = repr(closed.__cause__ or closed)
                    else:
                        result["code"], result["reason"] = closed.rcvd.code, closed.rcvd.reason
                finally:
                    sender.cancel()
    except Exception as error:
        result["error"] = repr(error)
    print(json.dumps(result))


asyncio.run(main(*sys.argv[1:]))
