// The commands and the options each of them takes. An expected fault (a port in use, a bad file) is one line and exit code 1.
import { Command, CommanderError } from 'commander';
import { OPTIONS } from '../config.ts';
import { UserError } from '../fault.ts';
import { VERSION } from '../version.ts';

/** Runs the program. @returns its exit code */
export async function run(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = new Command('socketpod')
    .description('One isolated pod per WebSocket connection, on your Kubernetes')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(socketpod help COMMAND lists the options)');
  const command = (name: string, description: string) => program.command(name).description(description).exitOverride();

  command('dev', 'serve WebSocketFunction files on this machine, one process a connection')
    .addOption(OPTIONS.file())
    .addOption(OPTIONS.listen('127.0.0.1:8080'))
    .addOption(OPTIONS.tlsListen())
    .addOption(OPTIONS.tlsCert())
    .addOption(OPTIONS.tlsKey())
    .addOption(OPTIONS.trustedProxies())
    .addOption(OPTIONS.proxyProtocol())
    .addOption(OPTIONS.maxConnectionsPerAddress())
    .addOption(OPTIONS.attach())
    .addOption(OPTIONS.admin())
    .addOption(OPTIONS.maxFramesPerSecond())
    .addOption(OPTIONS.maxPending())
    .addOption(OPTIONS.maxStartsPerSecond())
    .addOption(OPTIONS.ceilings())
    .addOption(OPTIONS.publicUrl())
    .addOption(OPTIONS.json())
    .action(async (options) => {
      const { dev } = await import('./dev.ts');
      await dev(options);
    });
  command('proxy', 'serve the WebSocketFunctions of a cluster, one pod a connection')
    .addOption(OPTIONS.kubeconfig())
    .addOption(OPTIONS.namespace())
    .addOption(OPTIONS.ownNamespace())
    .addOption(OPTIONS.podName())
    .addOption(OPTIONS.podUid())
    .addOption(OPTIONS.listen('0.0.0.0:8080'))
    .addOption(OPTIONS.tlsListen())
    .addOption(OPTIONS.tlsCert())
    .addOption(OPTIONS.tlsKey())
    .addOption(OPTIONS.trustedProxies())
    .addOption(OPTIONS.proxyProtocol())
    .addOption(OPTIONS.maxConnectionsPerAddress())
    .addOption(OPTIONS.admin('0.0.0.0:9090'))
    .addOption(OPTIONS.maxFramesPerSecond())
    .addOption(OPTIONS.maxPending())
    .addOption(OPTIONS.maxStartsPerSecond())
    .addOption(OPTIONS.ceilings())
    .addOption(OPTIONS.hostRules())
    .addOption(OPTIONS.publicUrl())
    .addOption(OPTIONS.unschedulableGrace())
    .addOption(OPTIONS.podDefaults())
    .addOption(OPTIONS.drainDelay())
    .addOption(OPTIONS.drainTime())
    .action(async (options) => {
      const { proxy } = await import('./proxy.ts');
      await proxy(options);
    });
  command('controller', 'accept functions, tell their status, guard their pods; one leads, others stand by')
    .addOption(OPTIONS.kubeconfig())
    .addOption(OPTIONS.namespace())
    .addOption(OPTIONS.ownNamespace())
    .addOption(OPTIONS.podName())
    .addOption(OPTIONS.admin('0.0.0.0:9090'))
    .addOption(OPTIONS.ceilings())
    .addOption(OPTIONS.hostRules())
    .addOption(OPTIONS.publicUrl())
    .addOption(OPTIONS.podDefaults())
    .addOption(OPTIONS.networkPolicy())
    .addOption(OPTIONS.denyCidrs())
    .addOption(OPTIONS.proxySelector())
    .action(async (options) => {
      const { controller } = await import('./controller.ts');
      await controller(options);
    });
  command('connect <url>', 'talk to a WebSocket: lines of input are messages; tells how it ended')
    .addOption(OPTIONS.header())
    .addOption(OPTIONS.protocol())
    .addOption(OPTIONS.wait())
    .addOption(OPTIONS.insecure())
    .action(async (url, options) => {
      const { connect } = await import('./connect.ts');
      exitCode = await connect(url, options, { input: process.stdin, output: process.stdout, error: process.stderr });
    });
  command('cleanup', 'before an installation goes: end proxies and controllers, delete the pods of functions')
    .addOption(OPTIONS.kubeconfig())
    .addOption(OPTIONS.namespace())
    .addOption(OPTIONS.ownNamespace())
    .addOption(OPTIONS.release())
    .addOption(OPTIONS.grace())
    .addOption(OPTIONS.timeout())
    .action(async (options) => {
      const { cleanup } = await import('./cleanup.ts');
      await cleanup(options, process.stdout);
    });
  command('validate <file...>', 'judge WebSocketFunction files as the API server would').action(async (files) => {
    const { validate } = await import('./validate.ts');
    exitCode = await validate(files, process.stdout);
  });
  command('crd', 'print the CustomResourceDefinition').action(async () => {
    const { crd } = await import('./crd.ts');
    crd(process.stdout);
  });

  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode; // it has said what it had to say
    if (error instanceof UserError) {
      process.stderr.write(`socketpod: ${error.message}\n`);
      return 1;
    }
    throw error;
  }
}
