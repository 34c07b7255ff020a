import { type Command, commonOptions, type OptionSpec, type OptionTable } from './command.ts';

/** What `npm run ops` alone shows. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    'Operates Tableside, on the local stage or on one that was deployed.',
    '',
    'npm run ops -- COMMAND [OPTIONS]',
    '',
    ...aligned(rows),
    '',
    'npm run ops -- COMMAND --help tells more of each. Where npm’s own two lines would be in the way of a pipe, use',
    'npm run -s ops -- …',
    '',
  ].join('\n');
}

/** What `--help` shows for one command. */
export function commandHelp(command: Command): string {
  return [
    command.summary,
    '',
    command.usage.trim(),
    '',
    'Options',
    ...aligned(optionRows(command.options)),
    '',
    'Where, and how',
    ...aligned(optionRows(commonOptions)),
    '',
  ].join('\n');
}

function optionRows(options: OptionTable): (readonly [string, string])[] {
  return Object.entries(options).map(([name, spec]) => {
    const left = spec.kind === 'flag' ? `--${name}` : `--${name} ${spec.placeholder}`;
    return [left, spec.help + defaultOf(spec)];
  });
}

function defaultOf(spec: OptionSpec): string {
  if (spec.kind === 'flag' || spec.default === undefined) return '';
  return ` (default ${spec.default})`;
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
