import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CommandError } from './errors.ts';
import type { AwsClientOptions } from './stage.ts';

/** Address of a deployed HTTP API, from the output that `sls deploy` gives every stack with one. */
export async function findHttpApiUrl(stackName: string, aws: AwsClientOptions): Promise<string> {
  return (await findOutput(stackName, 'HttpApiUrl', aws)).replace(/\/$/, '');
}

/** An output of a deployed stack. Throws CommandError where it has none of that name. */
export async function findOutput(stackName: string, key: string, aws: AwsClientOptions): Promise<string> {
  const client = new CloudFormationClient(aws);
  const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
  const value = Stacks?.[0]?.Outputs?.find(output => output.OutputKey === key)?.OutputValue;
  if (!value) throw new CommandError(`The stack ${stackName} has no output ${key}. Deploy it again: npx sls deploy.`);
  return value;
}
