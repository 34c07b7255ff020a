import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStage, sql, startStage, untilSql } from '../stage.ts';

const projectDir = join(import.meta.dirname, '../../..');
/** A real clickstream of 1999 that lies beside the project on its makers' machines; its licence keeps it out of the project. */
const visits = join(projectDir, '../shared/data/visits-1999.csv');

const run = promisify(execFile);

/** Sends the file with `ops import-csv`, that is through the public API and the real Segment SDK. */
async function importVisits(stage: LocalStage): Promise<string> {
  const flags = ['--anonymous-id', 'COOKIE', '--event-name', 'Webpage', '--type', 'page', '--time', 'Date Time'];
  const ports = ['--port', new URL(stage.url).port, '--aws-port', new URL(stage.endpoint).port];
  const args = [
    join(projectDir, 'ops/main.ts'),
    'import-csv',
    visits,
    ...flags,
    '--property',
    'click_order=Click_order',
  ];
  const { stdout, stderr } = await run(process.execPath, [...args, ...ports], { timeout: 120_000 });
  return stdout + stderr;
}

const steps = ['home', 'product', 'addcart', 'pay_req', 'pay_res'];

/** Sessions that reached each step, each step later in the session than the one before. */
function funnelSql(table: string): string {
  const clicks = `clicks as (select anonymous_id s, name, cast(json_extract_scalar(properties, '$.click_order') as integer) n from ${table})`;
  const reached = steps.map((step, index) => {
    if (index === 0) return `r0 as (select s, min(n) n from clicks where name = '${step}' group by s)`;
    const before = `r${index - 1}`;
    return (
      `r${index} as (select c.s, min(c.n) n from clicks c join ${before} b on b.s = c.s and c.n > b.n ` +
      `where c.name = '${step}' group by c.s)`
    );
  });
  const counts = steps.map((_, index) => `(select count(*) from r${index})`);
  return `with ${[clicks, ...reached].join(', ')} select ${counts.join(', ')}`;
}

describe.skipIf(!existsSync(visits))(
  `the visits of 1999, if they are there (${visits}), sent through the real Segment SDK`,
  () => {
    let stage: LocalStage;
    beforeAll(async () => {
      stage = await startStage({ DeliveryBufferSeconds: 1 });
      await importVisits(stage);
      await untilSql(stage, 'select count(*) from events', [['24344']], 60_000);
    }, 180_000);
    afterAll(() => stage?.stop());

    async function expectTruths(table: string): Promise<void> {
      expect(
        await sql(
          stage,
          `select count(*), count(distinct anonymous_id), count(distinct date(occurred_at)) from ${table}`,
        ),
      ).toEqual([['24344', '1240', '429']]);
      expect(await sql(stage, `select name, count(*) from ${table} group by 1 order by 2 desc limit 5`)).toEqual([
        ['product', '4366'],
        ['program', '2622'],
        ['home', '1944'],
        ['p_info', '1715'],
        ['catalog', '1279'],
      ]);
      const saw = steps.map(step => `count(distinct if(name = '${step}', anonymous_id))`);
      expect(await sql(stage, `select ${saw.join(', ')} from ${table}`)).toEqual([
        ['770', '1101', '617', '451', '354'],
      ]);
      expect(await sql(stage, funnelSql(table))).toEqual([['770', '624', '286', '202', '148']]);
    }

    it('come out of SQL exactly as they went in', () => expectTruths('events'));

    it('come out of events_unique the same when they are sent twice', async () => {
      await importVisits(stage);
      await untilSql(stage, 'select count(*) from events', [['48688']], 60_000);
      await expectTruths('events_unique');
    }, 180_000);
  },
);
