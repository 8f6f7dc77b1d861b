// Accept to 101 on a real node: cold starts one after another, beside the moment at which the function began to listen, which it
// tells in its 101. Prints p50 and p90; 101 minus that moment is what the platform adds after the function is there.
import { functionObject, installCrd, kubectl, mustOpen, startNodeProxy, watchPods } from '../support/node.ts';

const STARTS = 30;

const KINDS = {
  'static listener': functionObject('static', {}),
  'Node 24 with ws': functionObject('node', { image: 'localhost/node-echo:1', command: ['node', 'server.js'] }),
};

function percentile(values: readonly number[], part: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN).toFixed(0);
}

function row(name: string, values: readonly number[]): void {
  console.log(
    `  ${name.padEnd(44)} p50 ${percentile(values, 0.5).padStart(5)}   p90 ${percentile(values, 0.9).padStart(5)}   max ${percentile(values, 1).padStart(5)}`,
  );
}

await installCrd();
const pods = await watchPods('default');
const proxy = await startNodeProxy();
for (const [name, object] of Object.entries(KINDS)) {
  kubectl(['apply', '-f', '-'], object);
  const fn = (object as { metadata: { name: string } }).metadata.name;
  await proxy.serves(`default/${fn}`);
  const whole: number[] = [];
  const boot: number[] = [];
  const after: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const begun = performance.now();
    const { socket, headers } = await mustOpen(`ws://127.0.0.1:${proxy.port}/default/${fn}`);
    const opened = performance.now();
    whole.push(opened - begun);
    boot.push(Number(headers['x-listen-ms']));
    after.push(performance.timeOrigin + opened - Number(headers['x-listening-since']));
    socket.close(1000);
    await pods.none();
  }
  console.log(`${name}: ${STARTS} cold starts one after another, in ms`);
  row('accept to 101', whole);
  row("the function's own: process start to listening", boot);
  row('101 minus the moment of listening', after);
}
await proxy.stop();
await pods.stop();
