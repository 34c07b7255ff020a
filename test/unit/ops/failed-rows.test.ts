import { expect, test } from 'vitest';
import { failedEventsSql, failedRowsOf, kindsSql } from '../../../ops/replay/failed-rows.ts';

const all = { sinceMs: undefined, codes: [], sources: [] };
const sinceMs = Date.parse('2026-11-20T10:00:00Z');

test('a filter is a condition, and what it names is quoted', () => {
  const sql = failedEventsSql({ sinceMs, codes: ["o'clock", 'b'], sources: ['web'] }, 5);
  expect(sql).toContain(
    "f.day >= '2026-11-20' and f.received_at >= timestamp '2026-11-20 10:00:00.000'".replace(' and ', '\n  and '),
  );
  expect(sql).toContain("f.code in ('o''clock', 'b')");
  expect(sql).toContain("f.source in ('web')");
  expect(sql).toMatch(/\nlimit 5$/);
});

test('what is stored is looked for in the days that may hold it', () => {
  expect(failedEventsSql({ ...all, sinceMs })).toContain(
    "not exists (select 1 from events e where e.day >= '2026-11-20' and e.ingest_id = f.ingest_id)",
  );
  expect(failedEventsSql(all)).toContain('not exists (select 1 from events e where e.event_id = f.event_id)');
  expect(failedEventsSql(all)).not.toContain('limit');
});

test('kinds are asked for of the same time', () => {
  expect(kindsSql({ sinceMs: undefined })).toBe('select distinct f.code, f.source from failed_events f');
  expect(kindsSql({ sinceMs })).toContain("where f.day >= '2026-11-20'");
});

test('a row of text becomes one of the contract again; one that cannot says why', () => {
  const cells = {
    ingest_id: 'r-3',
    ingest_seq: '3',
    received_at: '2026-11-20 10:00:00.250',
    code: 'c',
    reason: 'r',
    event_id: null,
    protocol: 'segment',
    source: 'web',
    is_private: 'true',
    raw: '{}',
    schema_version: '1',
  };
  const page = (row: Record<string, string | null>) => ({
    columns: Object.keys(row).map(name => ({ name, type: 'varchar' })),
    rows: [Object.values(row)],
  });
  expect(failedRowsOf(page(cells))).toEqual([
    { row: { ...cells, event_id: undefined, ingest_seq: 3, is_private: true, schema_version: 1 } },
  ]);
  expect(failedRowsOf(page({ ...cells, raw: null }))).toEqual([{ violation: '"raw" is missing.' }]);
});
