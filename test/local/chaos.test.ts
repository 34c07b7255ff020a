import { describe, expect, it } from 'vitest';
import { createChaos, seededRandom } from '../../local/gate/chaos.ts';
import type { Effect, FaultTarget } from '../../local/gate/faults.ts';

const putRecords: FaultTarget = {
  service: 'kinesis',
  action: 'PutRecords',
  caller: { kind: 'function', accessKeyId: 'k', functionName: 'f', roleArn: 'arn:role' },
};

function effectsOn(target: FaultTarget, seed: number, count: number): Effect[] {
  const { effect } = createChaos(0.05, seededRandom(seed));
  return Array.from({ length: count }, () => (typeof effect === 'function' ? effect(target) : effect));
}

const kindOf = (effect: Effect) => {
  if (effect.kind === 'error') return effect.code;
  return effect.kind === 'reset' ? `reset ${effect.carriedOut ? 'after' : 'before'}` : effect.kind;
};
const kindsOn = (target: FaultTarget) => [...new Set(effectsOn(target, 1, 1000).map(kindOf))].sort();

describe('chaos', () => {
  it('knows every kind of fault, in the words of the service that is called', () => {
    const everywhere = ['InternalFailure', 'reset after', 'reset before', 'slow'];
    expect(kindsOn(putRecords)).toEqual(
      [...everywhere, 'ProvisionedThroughputExceededException', 'refuse-records'].sort(),
    );
    expect(kindsOn({ ...putRecords, service: 'firehose', action: 'PutRecordBatch' })).toEqual(
      [...everywhere, 'ServiceUnavailableException', 'refuse-records'].sort(),
    );
    expect(kindsOn({ ...putRecords, service: 'sqs', action: 'SendMessage' })).toEqual(
      [...everywhere, 'ThrottlingException'].sort(),
    );
  });

  it('throws the same dice for the same seed, and other ones for another', () => {
    expect(effectsOn(putRecords, 7, 100)).toEqual(effectsOn(putRecords, 7, 100));
    expect(effectsOn(putRecords, 7, 100)).not.toEqual(effectsOn(putRecords, 8, 100));
  });

  it('throws fair dice', () => {
    const random = seededRandom(3);
    const throws = Array.from({ length: 10_000 }, random);
    for (let tenth = 0; tenth < 10; tenth++) {
      const count = throws.filter(value => Math.floor(value * 10) === tenth).length;
      expect(count).toBeGreaterThan(880);
      expect(count).toBeLessThan(1120);
    }
  });
});
