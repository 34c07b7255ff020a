import { type CloudContext, type CloudPart, provider } from '../../part.ts';

interface RoleProperties {
  readonly RoleName?: string;
}

/** Roles as resources: they have a name and an ARN. */
export function createRoles(context: CloudContext): CloudPart {
  return {
    providers: {
      'AWS::IAM::Role': provider<RoleProperties>(({ logicalId, properties }) => {
        const name = properties.RoleName ?? logicalId;
        return { ref: name, attributes: { Arn: `arn:aws:iam::${context.accountId}:role/${name}` } };
      }),
    },
  };
}
