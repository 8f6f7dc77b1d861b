// Goes into a process beside its program (`node --import`): at SIGUSR2 it prints how long the event loop was held at most since the
// last time, as a line of `dev --json`.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
process.on('SIGUSR2', () => {
  console.log(JSON.stringify({ event: 'loop delay', ms: loop.max / 1e6 }));
  loop.reset();
});
