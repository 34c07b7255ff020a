import { expect, test } from 'vitest';
import { type ColumnFlags, resolveColumns } from '../../../ops/import/columns.ts';
import { createMessageIds, createRowMapper, type RowResult } from '../../../ops/import/events.ts';
import { createTimeReader } from '../../../ops/import/times.ts';

const header = ['COOKIE', 'Date', 'Time', 'Click_order', 'Webpage'];
const flags: ColumnFlags = {
  type: 'page',
  'anonymous-id': 'COOKIE',
  'user-id': undefined,
  'event-name': 'Webpage',
  event: undefined,
  time: ['Date Time'],
  property: [],
  properties: 'all',
};

function mapped(fields: string[], changes: Partial<ColumnFlags> = {}, columns = header): RowResult {
  const messageIds = createMessageIds('csv-', 'ab'.repeat(32), 'page');
  const map = createRowMapper(
    resolveColumns(columns, { ...flags, ...changes }),
    createTimeReader('UTC', 'ymd'),
    messageIds,
  );
  return map({ fields, line: 18 }, 17);
}

test('a row becomes a page view with the columns left over as properties', () => {
  expect(mapped(['00002d9d', '1999-06-24', '10:06:37', '0', 'start_session']).event).toMatchObject({
    type: 'page',
    name: 'start_session',
    anonymousId: '00002d9d',
    userId: undefined,
    timestamp: new Date('1999-06-24T10:06:37Z'),
    properties: { Click_order: 0 },
    messageId: 'csv-abababababababab-page-17',
    row: 17,
    line: 18,
  });
});

test.each([
  [['', '1999-06-24', '10:06:37', '0', 'home'], 'its visitor is empty'],
  [['a', '1999-06-31', '10:06:37', '0', 'home'], '"1999-06-31 10:06:37" is no time that can be read'],
  [['a', '', '', '0', 'home'], '" " is no time that can be read'],
  [['a', '1999-06-24', '10:06:37', '0'], 'it has 4 fields, the header 5'],
])('row %# is refused as data', (fields, reason) => {
  expect(mapped(fields).refusal).toEqual({ row: 17, line: 18, reason });
});

test('a page without a name is a page; a tracked event without one is refused', () => {
  const nameless = ['a', '1999-06-24', '10:06:37', '0', ''];
  expect(mapped(nameless).event?.name).toBeUndefined();
  expect(mapped(nameless, { type: 'track' }).refusal?.reason).toBe('its event name is empty');
});

test('only what would be written the same again becomes a number or boolean', () => {
  const values = ['12', '-3.5', '007', '1e3', '12345678901234567890', 'NaN', 'true', 'TRUE', '', ' 5'];
  const columns = ['id', 'at', ...values.map((_, index) => `p${index}`)];
  const { event } = mapped(
    ['a', '1999-06-24', ...values],
    { 'anonymous-id': 'id', time: ['at'], 'event-name': undefined },
    columns,
  );
  expect(event?.properties).toEqual({
    p0: 12,
    p1: -3.5,
    p2: '007',
    p3: '1e3',
    p4: '12345678901234567890',
    p5: 'NaN',
    p6: true,
    p7: 'TRUE',
    p9: ' 5',
  });
});

test('properties can be named, and the others left out', () => {
  const columns = resolveColumns(header, {
    ...flags,
    property: ['order=Click_order', 'Webpage'],
    properties: 'none',
    time: ['Date'],
  });
  expect(columns.properties).toEqual([
    { name: 'order', column: 3 },
    { name: 'Webpage', column: 4 },
  ]);
  expect(columns.unused).toEqual(['Time']);
});

test('a column whose own name has a space is found before it is split', () => {
  expect(resolveColumns([...header, 'Date Time'], flags).time).toEqual([5]);
  expect(resolveColumns(header, flags).time).toEqual([1, 2]);
  expect(resolveColumns(header, { ...flags, time: ['Date', 'Time'] }).time).toEqual([1, 2]);
});

test('a column without a name gets one', () => {
  expect(
    resolveColumns(['', 'COOKIE', 'Date'], { ...flags, time: ['Date'], 'event-name': undefined }).properties,
  ).toEqual([{ name: 'column_1', column: 0 }]);
});

test.each<[Partial<ColumnFlags>, RegExp]>([
  [{ 'anonymous-id': 'COOKI' }, /^--anonymous-id: there is no column "COOKI". Did you mean "COOKIE"\?/],
  [{ time: ['Date Tim'] }, /^--time: there is no column "Tim". Did you mean "Time"\?/],
  [{ property: ['a=b'] }, /^--property: there is no column "b"/],
  [{ property: ['=b'] }, /^--property is NAME=COLUMN/],
  [{ property: ['Click_order=Webpage'] }, /^Two columns would become the property "Click_order"/],
  [{ 'anonymous-id': undefined }, /^Say which column tells the visitors apart/],
  [{ time: [] }, /^Say which column holds the time/],
  [{ event: 'x' }, /exclude each other/],
  [{ type: 'track', 'event-name': undefined }, /^A track event has a name/],
  [{ type: 'identify' }, /^An identify has no name/],
])('flags %j are refused by name', (changes, sentence) => {
  expect(() => resolveColumns(header, { ...flags, ...changes })).toThrow(sentence);
});

test('a header that names a column twice is refused', () => {
  expect(() => resolveColumns([...header, 'Date'], flags)).toThrow('The header names "Date" twice');
});

test('message ids depend on the content, the type and the row, and on nothing else', () => {
  const ids = (hash: string, type: 'page' | 'identify') => createMessageIds('csv-', hash.repeat(64), type);
  expect(ids('a', 'page')(1)).toBe(ids('a', 'page')(1));
  const all = [ids('a', 'page')(1), ids('a', 'page')(2), ids('a', 'identify')(1), ids('b', 'page')(1)];
  expect(new Set(all).size).toBe(4);
});
