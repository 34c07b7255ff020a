import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type LocalStage, post, startStage } from './stage.ts';
import { changedPackage, readTemplate, statementsOf } from './stage-template.ts';

/**
 * Actions that are granted and never called here, each with AWS's page that says who calls it: not the function's code but
 * what runs it, so the local endpoint does not see it.
 */
const calledByTheRuntime = new Set([
  // https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  // https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
]);

/** What drives every call that a function can make, by the role of the function. */
const flows: Readonly<Record<string, (stage: LocalStage) => Promise<unknown>>> = {
  CollectEventsRole: async stage => {
    await post(stage, '/v1/track', { event: 'good', anonymousId: 'a' });
    await post(stage, '/v1/batch', { batch: [{ type: 'track', anonymousId: 'bad: it has no name' }] });
  },
  NotFoundRole: stage => post(stage, '/nowhere', {}),
  ConfigureTrackerRole: stage => fetch(`${stage.url}/v1/projects/wk_local/settings`),
};

const template = readTemplate(inject('packageDir'));
const functionRoles = Object.values(template.Resources)
  .filter(({ Type }) => Type === 'AWS::Lambda::Function')
  .map(({ Properties }) => (Properties.Role as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0]);

const grantsOf = (roleId: string): string[] =>
  statementsOf(template, roleId)
    .flatMap(({ Action }) => Action)
    .filter(action => !calledByTheRuntime.has(action));

const grants = functionRoles.flatMap(roleId => grantsOf(roleId).map(action => [roleId, action] as const));

/** Runs a role's flow and tells every call that was refused. */
async function refusals(stage: LocalStage, roleId: string): Promise<string[]> {
  const refused: string[] = [];
  const unlisten = stage.cloud.meter.listen(({ status, error }) => {
    if (status === 403) refused.push(error ?? '');
  });
  await flows[roleId]?.(stage);
  unlisten();
  return refused;
}

describe('each function', () => {
  let stage: LocalStage;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage?.stop());

  it('has a flow here that drives its calls', () => {
    expect(functionRoles.filter(roleId => !(roleId in flows))).toEqual([]);
  });

  it.each(functionRoles)('is allowed all that its flow does: %s', async roleId => {
    expect(await refusals(stage, roleId)).toEqual([]);
  });

  it.each(functionRoles)('uses all that it is allowed: %s', async roleId => {
    await flows[roleId]?.(stage);
    const used = stage.cloud.usedGrants();
    const unused = grantsOf(roleId).filter(action => !used.has(`arn:aws:iam::000000000000:role/${roleId} ${action}`));
    expect(unused, `granted to ${roleId} and used by no flow`).toEqual([]);
  });
});

describe('without one grant', () => {
  it.each(grants)('%s is refused %s, by name', async (roleId, action) => {
    const packageDir = changedPackage(inject('packageDir'), changed => {
      for (const statement of statementsOf(changed, roleId)) {
        statement.Action = [statement.Action].flat().filter(granted => granted !== action);
      }
    });
    const stage = await startStage({}, packageDir);
    try {
      const refused = await refusals(stage, roleId);
      expect(refused[0]).toMatch(new RegExp(`is not authorized to perform: ${action} on resource: arn:aws:`));
    } finally {
      await stage.stop();
      await rm(packageDir, { recursive: true });
    }
  });
});
