import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CommandError } from './errors.ts';
import type { AwsClientOptions } from './stage.ts';

/** Address of a deployed HTTP API, from the output that `sls deploy` gives every stack with one. */
export async function findHttpApiUrl(stackName: string, aws: AwsClientOptions): Promise<string> {
  const client = new CloudFormationClient(aws);
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
  const url = Stacks?.[0]?.Outputs?.find(output => output.OutputKey === 'HttpApiUrl')?.OutputValue;
  if (!url) throw new CommandError(`The stack ${stackName} has no output HttpApiUrl. Deploy it again: npx sls deploy.`);
  return url.replace(/\/$/, '');
}
