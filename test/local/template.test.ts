import { describe, expect, it } from 'vitest';
import type { Provider, ResourceSpec } from '../../local/part.ts';
import { type DeployOptions, deployTemplate, type Template } from '../../local/template.ts';

function prepare(template: Partial<Template>, options: Partial<DeployOptions> = {}) {
  const created: ResourceSpec[] = [];
  const thing: Provider = resource => {
    created.push(resource);
    return { ref: `ref-${resource.logicalId}`, attributes: { Arn: `arn:${resource.logicalId}` } };
  };
  const deploy = () =>
    deployTemplate(
      { Resources: {}, ...template },
      {
        context: { accountId: '000000000000', region: 'us-east-1' },
        stackName: 'tableside-test',
        parameters: {},
        providers: { 'Test::Thing': thing },
        ...options,
      },
    );
  return { created, deploy, property: (id: string) => created.find(({ logicalId }) => logicalId === id)?.properties };
}

const thing = (Properties: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  Type: 'Test::Thing',
  Properties,
  ...more,
});

describe('deployTemplate', () => {
  it('creates each resource after those it refers to, however it refers to them', async () => {
    const { created, deploy } = prepare({
      Resources: {
        A: thing({ x: { Ref: 'B' } }),
        B: thing({ x: { 'Fn::GetAtt': ['C', 'Arn'] } }),
        C: thing({ x: { 'Fn::Sub': 'on ${D.Arn}' } }),
        D: thing({ x: { 'Fn::Sub': ['${y} and ${E}', { y: { Ref: 'F' } }] } }),
        E: thing({}, { DependsOn: ['F'] }),
        F: thing(),
      },
    });
    await deploy();
    expect(created.map(({ logicalId }) => logicalId)).toEqual(['F', 'E', 'D', 'C', 'B', 'A']);
  });

  it('resolves intrinsic functions as CloudFormation does', async () => {
    const { deploy, property } = prepare(
      {
        Parameters: { Count: { Type: 'Number', Default: 2 }, Names: { Type: 'CommaDelimitedList', Default: 'a, b' } },
        Conditions: { Two: { 'Fn::Equals': [{ Ref: 'Count' }, '2'] }, NotTwo: { 'Fn::Not': [{ Condition: 'Two' }] } },
        Mappings: { Sizes: { 'us-east-1': { small: 1 } } },
        Resources: {
          B: thing(),
          A: thing({
            join: { 'Fn::Join': ['-', ['x', { Ref: 'B' }]] },
            sub: { 'Fn::Sub': '${AWS::StackName}/${B}/${B.Arn}/${!kept}' },
            if: { 'Fn::If': ['NotTwo', 'yes', 'no'] },
            gone: { 'Fn::If': ['NotTwo', 'yes', { Ref: 'AWS::NoValue' }] },
            select: { 'Fn::Select': [1, { 'Fn::Split': [',', 'p,q'] }] },
            base64: { 'Fn::Base64': 'hi' },
            map: { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'small'] },
            count: { Ref: 'Count' },
            names: { Ref: 'Names' },
          }),
        },
      },
      { parameters: { Count: '2' } },
    );
    await deploy();
    expect(property('A')).toEqual({
      join: 'x-ref-B',
      sub: 'tableside-test/ref-B/arn:B/${kept}',
      if: 'no',
      select: 'q',
      base64: 'aGk=',
      map: 1,
      count: 2,
      names: ['a', 'b'],
    });
  });

  it('leaves out resources and outputs whose condition does not hold', async () => {
    const { created, deploy } = prepare({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: { A: thing(), B: thing({}, { Condition: 'Never' }) },
      Outputs: { One: { Value: { Ref: 'A' } }, Two: { Value: { Ref: 'B' }, Condition: 'Never' } },
    });
    const { outputs } = await deploy();
    expect(created.map(({ logicalId }) => logicalId)).toEqual(['A']);
    expect(outputs).toEqual({ One: 'ref-A' });
  });

  it.each([
    [
      'an unknown type',
      { Resources: { A: { Type: 'AWS::Mystery::Box' } } },
      /A: it does not know the type AWS::Mystery::Box/,
    ],
    ['a dangling Ref', { Resources: { A: thing({ x: { Ref: 'Nobody' } }) } }, /A refers to Nobody/],
    [
      'an attribute nobody gives',
      { Resources: { A: thing({ x: { 'Fn::GetAtt': 'B.Url' } }), B: thing() } },
      /A asks for B\.Url/,
    ],
    ['a function it does not know', { Resources: { A: thing({ x: { 'Fn::Cidr': [] } }) } }, /A uses Fn::Cidr/],
    ['a parameter without a value', { Parameters: { P: { Type: 'String' } } }, /parameter P has no value/],
    ['a circle', { Resources: { A: thing({ x: { Ref: 'B' } }), B: thing({ x: { Ref: 'A' } }) } }, /circle: A → B → A/],
  ])('refuses %s with a sentence that names it', async (_, template, message) => {
    await expect(prepare(template).deploy()).rejects.toThrow(message);
  });

  it('refuses a parameter that the template does not have', async () => {
    await expect(prepare({}, { parameters: { Typo: 1 } }).deploy()).rejects.toThrow(/no parameter Typo/);
  });
});
