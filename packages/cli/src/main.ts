import { run } from './program.ts';

// The process around the commands. `serve` is the server's own: it gets the command line as it is, and ends the process itself.

const [command, ...rest] = process.argv.slice(2);

// Whoever reads our output may stop doing so (`| head`). That ends us, as it ends any tool, without a word.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(1);
});

if (command === 'serve' && !rest.includes('--help') && !rest.includes('-h')) {
  // The password is the client's; the server refuses variables of its prefix that it does not know.
  delete process.env.PARLANCE_PASSWORD;
  const { serve } = await import('@parlance/server/main');
  await serve(rest);
} else {
  const { env: environment, stdin, stdout, stderr } = process;
  process.exitCode = await run(process.argv.slice(2), { environment, stdin, stdout, stderr, now: Date.now });
}
