#!/usr/bin/env node
// argv -> one command. The only process.exit; refuses a Node that is too old with one clear line.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`socketpod: Node ${process.versions.node} is too old; 22.19 or newer is needed (npm scripts bring Node 24)\n`);
  process.exit(1);
}
// Loaded only now: what follows uses what an old Node does not have.
const { run } = await import('./cli/program.ts');
const code = await run(process.argv.slice(2));
await outputTaken();
process.exit(code);

/** A pipe takes 64 KiB; exit would cut off what its reader has not made room for. He has 3 s, as he may never read again. */
async function outputTaken(): Promise<void> {
  const { stdout } = process;
  if (stdout.writableLength === 0) return;
  await new Promise<void>((resolve) => {
    stdout.on('error', () => resolve());
    stdout.write('', () => resolve());
    setTimeout(resolve, 3000);
  });
}
