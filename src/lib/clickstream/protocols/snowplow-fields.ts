import type { JsonRecord } from '../json.ts';
import type { EventType } from './protocol.ts';

/** A kind of event that tells everything in fields of its own: what they are called, by their short names on the wire. */
interface Kind {
  readonly type: EventType;
  readonly fields: Readonly<Record<string, string>>;
  readonly name?: string;
  /** Where events of this kind have a name each: the field that holds it. */
  readonly nameField?: string;
}

/**
 * By the value of `e`. Names are those of Snowplow's own table, without their prefixes:
 * https://docs.snowplow.io/docs/events/going-deeper/event-parameters
 */
export const kinds: ReadonlyMap<unknown, Kind> = new Map<unknown, Kind>([
  ['pv', { type: 'page', fields: {} }],
  [
    'pp',
    {
      type: 'track',
      name: 'page_ping',
      fields: { pp_mix: 'xoffset_min', pp_max: 'xoffset_max', pp_miy: 'yoffset_min', pp_may: 'yoffset_max' },
    },
  ],
  [
    'se',
    {
      type: 'track',
      nameField: 'se_ac',
      fields: { se_ca: 'category', se_ac: 'action', se_la: 'label', se_pr: 'property', se_va: 'value' },
    },
  ],
  [
    'tr',
    {
      type: 'track',
      name: 'transaction',
      fields: {
        ...{ tr_id: 'orderid', tr_af: 'affiliation', tr_tt: 'total', tr_tx: 'tax', tr_sh: 'shipping' },
        ...{ tr_ci: 'city', tr_st: 'state', tr_co: 'country', tr_cu: 'currency' },
      },
    },
  ],
  [
    'ti',
    {
      type: 'track',
      name: 'transaction_item',
      fields: {
        ...{ ti_id: 'orderid', ti_sk: 'sku', ti_nm: 'name', ti_ca: 'category' },
        ...{ ti_pr: 'price', ti_qu: 'quantity', ti_cu: 'currency' },
      },
    },
  ],
]);

/** On the wire everything is text. */
const numbers: ReadonlySet<string> = new Set([
  ...['pp_mix', 'pp_max', 'pp_miy', 'pp_may', 'se_va'],
  ...['tr_tt', 'tr_tx', 'tr_sh', 'ti_pr', 'ti_qu'],
]);

/** The fields of an event under their long names. */
export function fieldsOf(item: JsonRecord, fields: Kind['fields']): JsonRecord {
  const found = Object.entries(fields).filter(([key]) => item[key] !== undefined);
  return Object.fromEntries(found.map(([key, name]) => [name, numbers.has(key) ? numberOf(item[key]) : item[key]]));
}

function numberOf(value: unknown): unknown {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : value;
}
