import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandContext, defineCommand, type OptionTable } from '../command.ts';
import { UsageError } from '../errors.ts';
import { createLakeObjects, type LakeObjects, type Removal, sumOf } from '../forget/lake-objects.ts';
import { withoutDocuments, withoutLines } from '../forget/lines.ts';
import { createParquetRewriter } from '../forget/parquet.ts';
import { createMentions, failedDaysSql, linkedIdsSql, type Person, theirRowsSql } from '../forget/person.ts';
import { type Asker, createAsker, timeoutOption } from '../sql/ask.ts';
import { findOutput } from '../stack.ts';
import { formatCount, plural } from '../units.ts';

const options = {
  user: { kind: 'text', placeholder: 'ID', help: 'the user id, as trackers send it' },
  'anonymous-id': {
    kind: 'text',
    placeholder: 'ID',
    multiple: true,
    help: 'an anonymous id that is known to be theirs; may be repeated',
  },
  'dry-run': { kind: 'flag', help: 'tell what would be removed, remove nothing' },
  ...timeoutOption,
} as const satisfies OptionTable;

type Context = CommandContext<typeof options>;

export const command = defineCommand({
  name: 'forget',
  summary: 'Removes a person’s rows from the lake',
  usage: `
npm run ops -- forget --user guest-42 --dry-run
npm run ops -- forget --user guest-42

Removes every row with the user id, and every row without one whose anonymous id was seen together with it. Objects
in events/, failed_events/ and delivery-errors/ that hold such rows are written anew, in place. Run it again, as it
says at its end, when Firehose has delivered what it held.`,
  options,
  run: async context => {
    const { values, stage, terminal } = context;
    if (!values.user) throw new UsageError('Say whom to forget: forget --user ID.');
    const bucket = await findOutput(stage.stackName, 'LakeBucketName', stage.aws).catch(error => {
      throw stage.explain(error);
    });
    const ask = createAsker(context, 'looking for the person');
    const linked = (await ask.rows(linkedIdsSql(values.user))).flatMap(([id]) => id ?? []);
    const person = { userId: values.user, anonymousIds: [...new Set([...values['anonymous-id'], ...linked])].sort() };
    // Once their events are gone nothing links these any more: whoever interrupts this needs them to go on.
    terminal.say(`Forgetting ${argumentsOf(person)}`);
    const lake = createLakeObjects(stage, {
      bucket,
      isDryRun: values['dry-run'],
      signal: terminal.signal,
      onObject: key => terminal.progress(`reading ${key}`),
    });
    const mentions = createMentions(person);
    const failedDays = await ask.rows(failedDaysSql(person));
    const failed = await eachDay('failed_events', failedDays, lake, bytes => withoutLines(bytes, mentions));
    const errors = await lake.rewrite('delivery-errors/', bytes => withoutDocuments(bytes, mentions));
    // Last, because they hold the links.
    const events = await forgetEvents(person, lake, ask);
    await terminal.write(reportOf(person, { events, failed, errors }, context));
    return 0;
  },
});

/** Days first, by a query over few columns: only their objects are read. */
async function forgetEvents(person: Person, lake: LakeObjects, ask: Asker): Promise<Removal> {
  const condition = theirRowsSql(person);
  const days = await ask.rows(`select distinct day from events where ${condition}`);
  const dir = await mkdtemp(join(tmpdir(), 'tableside-forget-'));
  const parquet = await createParquetRewriter(dir);
  try {
    return await eachDay('events', days, lake, bytes => parquet.without(bytes, condition));
  } finally {
    parquet.close();
    // They hold what is to be forgotten.
    await rm(dir, { recursive: true, force: true });
  }
}

type Rewrite = Parameters<LakeObjects['rewrite']>[1];

async function eachDay(
  table: string,
  days: readonly (readonly (string | null)[])[],
  lake: LakeObjects,
  rewrite: Rewrite,
): Promise<Removal> {
  const removals: Removal[] = [];
  for (const [day] of days) removals.push(await lake.rewrite(`${table}/day=${day}/`, rewrite));
  return sumOf(removals);
}

interface Removals {
  readonly events: Removal;
  readonly failed: Removal;
  readonly errors: Removal;
}

const argumentsOf = ({ userId, anonymousIds }: Person): string =>
  [`--user ${shellWord(userId)}`, ...anonymousIds.map(id => `--anonymous-id ${shellWord(id)}`)].join(' ');

const shellWord = (text: string): string => (/^[\w@.:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function reportOf(person: Person, { events, failed, errors }: Removals, { values }: Context): string {
  const verb = values['dry-run'] ? 'would be removed from' : 'removed from';
  const line = (name: string, { removed, objectsChanged, objectsRead }: Removal) =>
    `${name.padEnd(17)}${plural(removed, 'row')} ${verb} ${formatCount(objectsChanged)} of ${plural(objectsRead, 'object')} read`;
  return [
    line('events', events),
    line('failed_events', failed),
    line('delivery-errors', errors),
    ...(values['dry-run'] ? [] : ['', `When Firehose has delivered what it holds: forget ${argumentsOf(person)}`]),
    '',
  ].join('\n');
}
