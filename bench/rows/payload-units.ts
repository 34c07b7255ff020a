import { putPayloadUnits } from '../bill.ts';
import { counted } from '../measure.ts';
import { atMost, type Row } from '../row.ts';
import { countEventsOfSize } from '../usage.ts';

/** Row 4: what a provisioned stream bills for a million events of 472 bytes as sent, ten to a request. */
export const payloadUnits: Row = {
  id: 4,
  run: async ({ amount }) => {
    const usage = await countEventsOfSize(472, 10, amount(2000));
    const units = putPayloadUnits(usage.recordBytes) * (1e6 / usage.events);
    const name = 'PUT payload units for a million 472-byte events, 10 a request, provisioned';
    return [{ id: '4', name, ...counted(units), unit: 'units', target: atMost(100_000) }];
  },
};
