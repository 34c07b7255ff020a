import { describe, expect, it } from 'vitest';
import { decide, type PolicyStatement } from '../../local/gate/policy.ts';

const allow = (more: Partial<PolicyStatement>): PolicyStatement => ({ Effect: 'Allow', Resource: '*', ...more });
const deny = (more: Partial<PolicyStatement>): PolicyStatement => ({ ...allow(more), Effect: 'Deny' });

function kindOf(
  statements: readonly PolicyStatement[],
  action: string,
  resource = 'arn:aws:s3:::a/b',
  conditions = {},
) {
  return decide([{ Statement: statements }], { action, resource, conditions }).kind;
}

describe('decide', () => {
  it.each([
    ['an exact action', [allow({ Action: 's3:GetObject' })], 'allowed'],
    ['an action in other case', [allow({ Action: 'S3:getobject' })], 'allowed'],
    ['one of several actions', [allow({ Action: ['s3:PutObject', 's3:GetObject'] })], 'allowed'],
    ['a wildcard', [allow({ Action: 's3:Get*' })], 'allowed'],
    ['a question mark', [allow({ Action: 's3:GetObjec?' })], 'allowed'],
    ['another action', [allow({ Action: 's3:PutObject' })], 'missing'],
    ['a longer action of the same beginning', [allow({ Action: 's3:GetObjectAcl' })], 'missing'],
    ['no statement', [], 'missing'],
    ['a deny beside an allow', [allow({ Action: '*' }), deny({ Action: 's3:GetObject' })], 'denied'],
    ['a deny of something else', [allow({ Action: '*' }), deny({ Action: 's3:PutObject' })], 'allowed'],
    ['NotAction that names it', [allow({ NotAction: 's3:GetObject' })], 'missing'],
    ['NotAction that does not', [allow({ NotAction: 's3:PutObject' })], 'allowed'],
    ['the very resource', [allow({ Action: '*', Resource: 'arn:aws:s3:::a/b' })], 'allowed'],
    ['a resource below', [allow({ Action: '*', Resource: 'arn:aws:s3:::a/*' })], 'allowed'],
    ['a resource in other case', [allow({ Action: '*', Resource: 'arn:aws:s3:::A/b' })], 'missing'],
    ['another resource', [allow({ Action: '*', Resource: ['arn:aws:s3:::c/*'] })], 'missing'],
    ['dots that are dots', [allow({ Action: '*', Resource: 'arn.aws.s3:::a/b' })], 'missing'],
    ['NotResource that names it', [{ Effect: 'Allow', Action: '*', NotResource: 'arn:aws:s3:::a/*' }], 'missing'],
  ] as const)('reads %s', (_, statements, kind) => {
    expect(kindOf(statements, 's3:GetObject')).toBe(kind);
  });

  it.each([
    [{ StringEquals: { 'aws:RequestTag/x': 'y' } }, { 'aws:requesttag/x': 'y' }, 'allowed'],
    [{ StringEquals: { 'aws:RequestTag/x': 'y' } }, {}, 'missing'],
    [{ StringEqualsIfExists: { 'aws:RequestTag/x': 'y' } }, {}, 'allowed'],
    [{ StringNotEquals: { 'aws:RequestTag/x': 'y' } }, {}, 'allowed'],
    [{ StringNotEquals: { 'aws:RequestTag/x': 'y' } }, { 'aws:requesttag/x': 'y' }, 'missing'],
    [{ StringLike: { 's3:prefix': ['a/*', 'b/*'] } }, { 's3:prefix': 'b/c' }, 'allowed'],
    [{ Bool: { 'aws:SecureTransport': 'false' } }, { 'aws:securetransport': 'true' }, 'missing'],
    [{ NumericLessThanEquals: { 's3:max-keys': '10' } }, { 's3:max-keys': '11' }, 'missing'],
    [{ Null: { 's3:prefix': 'true' } }, {}, 'allowed'],
  ])('holds a statement to its conditions: %j with %j', (Condition, conditions, kind) => {
    expect(kindOf([allow({ Action: '*', Condition })], 's3:GetObject', 'x', conditions)).toBe(kind);
  });

  it('refuses to guess what an unknown condition means', () => {
    const statement = allow({ Action: '*', Condition: { DateGreaterThan: { 'aws:CurrentTime': '2026' } } });
    expect(() => kindOf([statement], 's3:GetObject')).toThrow(/DateGreaterThan/);
  });
});
