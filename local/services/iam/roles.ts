import type { PolicyDocument } from '../../gate/policy.ts';
import { type CloudContext, type CloudPart, provider } from '../../part.ts';

interface RoleProperties {
  readonly RoleName?: string;
  readonly Policies?: readonly { readonly PolicyDocument: PolicyDocument }[];
  readonly ManagedPolicyArns?: readonly string[];
}

interface PolicyProperties {
  readonly PolicyDocument: PolicyDocument;
  readonly Roles?: readonly string[];
}

export interface Roles extends CloudPart {
  readonly policiesOf: (roleArn: string) => readonly PolicyDocument[];
}

/** Roles with what they allow: each function's calls are held to its own. */
export function createRoles(context: CloudContext): Roles {
  const policies = new Map<string, PolicyDocument[]>();
  const arnOf = (name: string) => `arn:aws:iam::${context.accountId}:role/${name}`;

  return {
    policiesOf: roleArn => policies.get(roleArn) ?? [],
    providers: {
      'AWS::IAM::Role': provider<RoleProperties>(({ logicalId, properties }) => {
        const { RoleName: name = logicalId, Policies = [], ManagedPolicyArns = [] } = properties;
        if (ManagedPolicyArns.length > 0) {
          throw new Error(`${logicalId} uses managed policies, whose text is AWS's: write out what it needs instead`);
        }
        policies.set(
          arnOf(name),
          Policies.map(({ PolicyDocument }) => PolicyDocument),
        );
        return { ref: name, attributes: { Arn: arnOf(name) } };
      }),
      'AWS::IAM::Policy': provider<PolicyProperties>(({ logicalId, properties: { PolicyDocument, Roles = [] } }) => {
        for (const role of Roles) policies.get(arnOf(role))?.push(PolicyDocument);
        return { ref: logicalId };
      }),
    },
  };
}
