// What a record counts: data messages by their first frame, payload bytes as they come, nothing of control frames.
import { beforeEach, expect, it } from 'vitest';
import { closeFrame, frame } from '../support/frames.ts';
import type { RawPeer } from '../support/raw-client.ts';
import { rawScene } from '../support/scene.ts';

const scene = rawScene();
let fn: RawPeer;

beforeEach(async () => {
  fn = await scene.open();
});

/** Sends a stream from one side, in one piece or byte by byte, and gives the counts of its record. */
async function counted(from: RawPeer, to: RawPeer, stream: Buffer, single = false) {
  if (single) for (const byte of stream) from.send(Uint8Array.of(byte));
  else from.send(stream);
  expect(await to.take(stream.length)).toEqual(stream);
  from.socket.destroy();
  to.socket.end();
  const [record] = await scene.proxy.ended(1);
  return [record?.messagesUp, record?.bytesUp, record?.messagesDown, record?.bytesDown];
}

/** Two messages of 5 and 300 bytes, an empty one, one in three fragments with a ping between, a ping and a close. */
function stream(mask: boolean): Buffer {
  return Buffer.concat([
    frame({ opcode: 1, payload: 'hello', mask }),
    frame({ opcode: 2, payload: Buffer.alloc(300), mask }),
    frame({ opcode: 1, mask }),
    frame({ opcode: 1, fin: false, payload: 'ab', mask }),
    frame({ opcode: 9, payload: 'ping', mask }),
    frame({ opcode: 0, fin: false, payload: 'cd', mask }),
    frame({ opcode: 0, payload: 'e', mask }),
    frame({ opcode: 10, payload: 'pong', mask }),
    closeFrame(1000, 'bye', mask),
  ]);
}

it.each([false, true])('counts messages and payload of the client (byte by byte: %s)', async (single) => {
  expect(await counted(scene.client, fn, stream(true), single)).toEqual([4, 310, 0, 0]);
});

it.each([false, true])('counts messages and payload of the function (byte by byte: %s)', async (single) => {
  expect(await counted(fn, scene.client, stream(false), single)).toEqual([0, 0, 4, 310]);
});

it('counts of a frame that was broken off what came, not what was announced', async () => {
  const begun = Buffer.concat([frame({ opcode: 2, length: 2n ** 53n - 1n, mask: true }), Buffer.alloc(1000)]);
  expect(await counted(scene.client, fn, begun)).toEqual([1, 1000, 0, 0]);
});
