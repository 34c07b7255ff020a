import { firehoseBilledBytes, kinesisBilledBytes } from '../bill.ts';
import { counted } from '../measure.ts';
import { atMost, type Row } from '../row.ts';
import { countVisits } from '../usage.ts';

/** Row 5: how much of what is billed is rounding (and partition keys). */
export const billedBytes: Row = {
  id: 5,
  run: async ({ amount }) => {
    const { recordBytes, payloadBytes } = await countVisits(50, amount(2000));
    const kinesis = counted(kinesisBilledBytes(recordBytes) / payloadBytes);
    const firehose = counted(firehoseBilledBytes(recordBytes) / payloadBytes);
    return [
      {
        id: '5a',
        name: 'billed ÷ payload bytes, 50 events a request, Kinesis on demand',
        ...kinesis,
        target: atMost(1.05),
      },
      { id: '5b', name: 'billed ÷ payload bytes, 50 events a request, Firehose', ...firehose, target: atMost(1.15) },
    ];
  },
};
