import { createQueryService, xmlFields, xmlMembers } from '../../gate/query-protocol.ts';
import { AwsError, type Service } from '../../gate/service.ts';
import type { CloudContext } from '../../part.ts';
import type { Deployment } from '../../template.ts';

export interface ControlOptions {
  readonly stackName: string;
  /** What is deployed; empty until the deployment is complete. */
  readonly deployment: () => Deployment | undefined;
}

/** What tools ask about the stack and about themselves: `sls invoke local`, `ops` and the AWS CLI start here. */
export function createControlServices(context: CloudContext, options: ControlOptions): readonly Service[] {
  const { accountId, region } = context;
  const { stackName, deployment } = options;
  const stackId = `arn:aws:cloudformation:${region}:${accountId}:stack/${stackName}/local`;

  function requireStack(fields: URLSearchParams): Deployment {
    const name = fields.get('StackName') ?? stackName;
    const deployed = deployment();
    if (!deployed || (name !== stackName && name !== stackId)) {
      throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
    }
    return deployed;
  }

  function resourceSummaries(deployed: Deployment) {
    return deployed.resources.map(resource => ({
      LogicalResourceId: resource.logicalId,
      PhysicalResourceId: resource.ref,
      ResourceType: resource.type,
      ResourceStatus: 'CREATE_COMPLETE',
      StackName: stackName,
    }));
  }

  function describeStacks(fields: URLSearchParams): string {
    const deployed = requireStack(fields);
    const outputs = Object.entries(deployed.outputs).map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
    const stack = { StackName: stackName, StackId: stackId, StackStatus: 'CREATE_COMPLETE' };
    return `<Stacks><member>${xmlFields(stack)}<Outputs>${xmlMembers(outputs)}</Outputs></member></Stacks>`;
  }

  return [
    createQueryService('cloudformation', {
      DescribeStacks: describeStacks,
      DescribeStackResources: fields =>
        `<StackResources>${xmlMembers(resourceSummaries(requireStack(fields)))}</StackResources>`,
      ListStackResources: fields =>
        `<StackResourceSummaries>${xmlMembers(resourceSummaries(requireStack(fields)))}</StackResourceSummaries>`,
      ListExports: () => '<Exports></Exports>',
    }),
    createQueryService('sts', {
      GetCallerIdentity: () =>
        xmlFields({ Arn: `arn:aws:iam::${accountId}:root`, UserId: accountId, Account: accountId }),
    }),
  ];
}
