import { describe, expect, test } from 'vitest';
import { defineCommand } from '../../../ops/command.ts';
import { type CommandLoader, commands } from '../../../ops/commands.ts';
import { CommandError } from '../../../ops/errors.ts';
import { runOps } from './run-ops.ts';

const commandThat = (run: Parameters<typeof defineCommand>[0]['run']): Record<string, CommandLoader> => ({
  work: async () => ({ command: defineCommand({ name: 'work', summary: 'Works', usage: '', options: {}, run }) }),
});

describe('help', () => {
  test('--help lists every command on stdout', async () => {
    const { exitCode, stdout } = await runOps(['--help']);
    expect(exitCode).toBe(0);
    for (const name of Object.keys(commands)) expect(stdout).toContain(`  ${name} `);
  });

  test('no command at all is a mistake, told on stderr', async () => {
    const { exitCode, stdout, stderr } = await runOps([]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('sql');
  });

  test.each(Object.keys(commands))(
    '%s explains each of its options, as `NAME --help` and as `help NAME`',
    async name => {
      const { exitCode, stdout } = await runOps([name, '--help']);
      expect(exitCode).toBe(0);
      const { command } = await (commands[name] as CommandLoader)();
      expect(command.name).toBe(name);
      for (const option of [...Object.keys(command.options), 'stage', 'aws-port'])
        expect(stdout).toContain(`--${option} `);
      expect((await runOps(['help', name])).stdout).toBe(stdout);
    },
  );
});

describe('mistakes', () => {
  test.each([
    [['sqll'], 'There is no command "sqll". Did you mean "sql"? There are sql, import-csv, replay, books, forget.'],
    [['constructor'], 'There is no command "constructor". There are sql, import-csv, replay, books, forget.'],
    [['--stage', 'dev'], 'The command comes first: one of sql, import-csv, replay, books, forget.'],
    [['sql', '--stage', 'a_b'], '"a_b" cannot be the name of a stage: letters, digits and hyphens, as in dev.'],
    [['sql', '--region', 'eu-west-1'], '--region is for a deployed stage; local is us-east-1.'],
    [['sql', 'select', '1'], 'Put the SQL in quotes: sql "select …".'],
    [['sql'], 'Say what to ask: sql "select count(*) from events".'],
    [['import-csv'], 'Say which file: import-csv FILE, just one.'],
  ])('%j exits 2 with one sentence', async (args, sentence) => {
    expect(await runOps(args)).toEqual({ exitCode: 2, stdout: '', stderr: `${sentence}\n` });
  });
});

describe('what a command does becomes an exit code', () => {
  test('a foreseen failure is its sentence and 1', async () => {
    const failing = commandThat(async () => {
      throw new CommandError('The soup is cold.');
    });
    expect(await runOps(['work'], { commands: failing })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'The soup is cold.\n',
    });
  });

  test('an unforeseen one shows its stack only with --debug', async () => {
    const broken = commandThat(async () => {
      throw new TypeError('x is undefined');
    });
    const quiet = await runOps(['work'], { commands: broken });
    expect(quiet).toMatchObject({
      exitCode: 1,
      stderr: 'That failed unexpectedly: x is undefined (--debug shows where.)\n',
    });
    const { stderr } = await runOps(['work', '--debug'], { commands: broken });
    expect(stderr).toMatch(/TypeError: x is undefined\n\s+at /);
  });

  test('Ctrl-C is 130, whatever the command makes of it', async () => {
    const interrupt = new AbortController();
    const interrupted = commandThat(async () => {
      interrupt.abort();
      return 0;
    });
    expect((await runOps(['work'], { commands: interrupted, signal: interrupt.signal })).exitCode).toBe(130);
  });

  test('a reader that goes away ends it quietly', async () => {
    let writes = 0;
    const endless = commandThat(async ({ terminal }) => {
      for (;;) {
        await terminal.write('line\n');
        writes += 1;
      }
    });
    expect(await runOps(['work'], { commands: endless, closeAfterWrites: 3 })).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    expect(writes).toBe(3);
  });
});

describe('progress', () => {
  const working = commandThat(async ({ terminal }) => {
    terminal.progress('half done, and a long story beside');
    await terminal.write('result\n');
    return 0;
  });

  test('is one line on a terminal’s stderr, cut to its width and cleared before the result', async () => {
    const { stdout, stderr } = await runOps(['work'], { commands: working, columns: 10 });
    expect(stderr).toBe('\r\x1b[Khalf done\r\x1b[K');
    expect(stdout).toBe('result\n');
  });

  test('is nothing in a pipe', async () => {
    expect((await runOps(['work'], { commands: working })).stderr).toBe('');
  });
});
