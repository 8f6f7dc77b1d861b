// The functions of the chaos tests: each connection plays the script that its seed gives. Run as a program it is a function of its own,
// on PORT, which may end its process too.
import { createServer, type Server, type Socket } from 'node:net';
import { randomBy } from '../support/frames.ts';
import { functionScript, SEED_HEADER } from './behaviours.ts';
import { Player } from './play.ts';

/** A server of such functions; `sockets` are those that are not closed yet. */
export function chaosFunctions(sockets: Set<Socket>, ownProcess: boolean): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, async (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    const player = new Player(socket, false);
    await player.play(['head']);
    const seed = new RegExp(`^${SEED_HEADER}: (.*)\r$`, 'im').exec(player.head)?.[1];
    await player.play(functionScript(randomBy(Number(seed)), ownProcess).steps);
  });
}

if (process.argv[1] === import.meta.filename) chaosFunctions(new Set(), true).listen(Number(process.env.PORT), '127.0.0.1');
