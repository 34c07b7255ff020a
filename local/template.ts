import type { CloudContext, CreatedResource, Provider } from './part.ts';

/** The parts of a CloudFormation template that the local cloud deploys. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Condition?: string }>>;
}

interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
}

/** A resource as it stands once deployed. */
export interface DeployedResource extends CreatedResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  /** In the order of their creation. */
  readonly resources: readonly DeployedResource[];
  readonly outputs: Readonly<Record<string, string>>;
}

export interface DeployOptions {
  readonly context: Pick<CloudContext, 'accountId' | 'region'>;
  readonly stackName: string;
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly providers: Readonly<Record<string, Provider>>;
}

/**
 * Deploys a template: each resource after those it refers to, its intrinsic functions resolved, by the provider of its type.
 * Throws with the resource's name where a type has no provider, a reference dangles, a parameter is missing or unknown.
 */
export async function deployTemplate(template: Template, options: DeployOptions): Promise<Deployment> {
  const created = new Map<string, DeployedResource>();
  const resolve = createResolver(template, options, created);
  const wanted = Object.entries(template.Resources).filter(
    ([, { Condition }]) => Condition === undefined || resolve.condition(Condition),
  );
  for (const [logicalId, resource] of inDependencyOrder(new Map(wanted), template)) {
    const create = options.providers[resource.Type];
    if (!create) {
      throw new Error(`The local cloud cannot deploy ${logicalId}: it does not know the type ${resource.Type}`);
    }
    const properties = resolve.value(resource.Properties ?? {}, logicalId) as Record<string, unknown>;
    const result = await create({ logicalId, type: resource.Type, properties });
    created.set(logicalId, { logicalId, type: resource.Type, properties, ...result });
  }
  const outputs: Record<string, string> = {};
  for (const [name, output] of Object.entries(template.Outputs ?? {})) {
    if (output.Condition !== undefined && !resolve.condition(output.Condition)) continue;
    outputs[name] = String(resolve.value(output.Value, `output ${name}`));
  }
  return { resources: [...created.values()], outputs };
}

/** Kahn's algorithm would do as well; depth first names the circle it finds. */
function inDependencyOrder(resources: ReadonlyMap<string, TemplateResource>, template: Template) {
  const ordered: [string, TemplateResource][] = [];
  const state = new Map<string, 'open' | 'done'>();
  function visit(logicalId: string, path: readonly string[]): void {
    const resource = resources.get(logicalId);
    if (!resource || state.get(logicalId) === 'done') return;
    if (state.get(logicalId) === 'open') {
      throw new Error(`The template's resources depend on each other in a circle: ${[...path, logicalId].join(' → ')}`);
    }
    state.set(logicalId, 'open');
    const named = resource.DependsOn === undefined ? [] : [resource.DependsOn].flat();
    for (const dependency of [...named, ...referencesIn(resource.Properties, template)]) {
      visit(dependency, [...path, logicalId]);
    }
    state.set(logicalId, 'done');
    ordered.push([logicalId, resource]);
  }
  for (const logicalId of resources.keys()) visit(logicalId, []);
  return ordered;
}

function referencesIn(value: unknown, template: Template, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesIn(item, template, found);
  else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'Ref') found.add(String(inner));
      else if (key === 'Fn::GetAtt') found.add(String(getAttPath(inner)[0]));
      else if (key === 'Fn::Sub') {
        for (const [, name = ''] of subText(inner).matchAll(subPattern)) found.add(name.split('.')[0] ?? '');
      }
      referencesIn(inner, template, found);
    }
  }
  return found;
}

const subPattern = /\$\{([^!}][^}]*)\}/g;

function subText(value: unknown): string {
  return String(Array.isArray(value) ? value[0] : value);
}

function getAttPath(value: unknown): readonly string[] {
  if (Array.isArray(value)) return [String(value[0]), value.slice(1).join('.')];
  const [resource = '', ...attribute] = String(value).split('.');
  return [resource, attribute.join('.')];
}

/** CloudFormation's `AWS::NoValue`: the property that has it is left out. */
const noValue = Symbol('AWS::NoValue');

function createResolver(template: Template, options: DeployOptions, created: ReadonlyMap<string, DeployedResource>) {
  const { accountId, region } = options.context;
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': accountId,
    'AWS::NoValue': noValue,
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::StackId': `arn:aws:cloudformation:${region}:${accountId}:stack/${options.stackName}/local`,
    'AWS::StackName': options.stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const parameters = parameterValues(template, options.parameters);

  function ref(name: string, at: string): unknown {
    if (name in pseudo) return pseudo[name];
    if (parameters.has(name)) return parameters.get(name);
    const resource = created.get(name);
    if (!resource) throw new Error(`${at} refers to ${name}, which the template does not have`);
    return resource.ref;
  }

  function getAtt(path: readonly string[], at: string): string {
    const [name = '', attribute = ''] = path;
    const resource = created.get(name);
    if (!resource) throw new Error(`${at} refers to ${name}.${attribute}, but the template has no ${name}`);
    const value = resource.attributes?.[attribute];
    if (value === undefined)
      throw new Error(`${at} asks for ${name}.${attribute}, which ${resource.type} does not give`);
    return value;
  }

  function sub(argument: unknown, at: string): string {
    const variables = (Array.isArray(argument) ? value(argument[1], at) : {}) as Record<string, unknown>;
    return subText(argument)
      .replace(subPattern, (_, name: string) => {
        if (name in variables) return String(variables[name]);
        return String(name.includes('.') ? getAtt(getAttPath(name), at) : ref(name, at));
      })
      .replace(/\$\{!([^}]*)\}/g, (_, name: string) => `\${${name}}`);
  }

  function condition(name: string): boolean {
    const declared = template.Conditions?.[name];
    if (declared === undefined) throw new Error(`The template has no condition ${name}`);
    return Boolean(value(declared, `condition ${name}`));
  }

  const functions: Readonly<Record<string, (argument: never, at: string) => unknown>> = {
    Ref: (name: string, at) => ref(name, at),
    Condition: (name: string) => condition(name),
    'Fn::GetAtt': (argument: unknown, at) => getAtt(getAttPath(argument), at),
    'Fn::Sub': (argument: unknown, at) => sub(argument, at),
    'Fn::Join': ([separator, items]: [string, unknown], at) => (value(items, at) as unknown[]).join(separator),
    'Fn::Select': ([index, items]: [unknown, unknown], at) => (value(items, at) as unknown[])[Number(value(index, at))],
    'Fn::Split': ([separator, text]: [string, unknown], at) => String(value(text, at)).split(separator),
    'Fn::Base64': (text: unknown, at) => Buffer.from(String(value(text, at))).toString('base64'),
    'Fn::If': ([name, yes, no]: [string, unknown, unknown], at) => value(condition(name) ? yes : no, at),
    'Fn::Equals': ([left, right]: [unknown, unknown], at) => String(value(left, at)) === String(value(right, at)),
    'Fn::And': (items: unknown[], at) => items.every(item => Boolean(value(item, at))),
    'Fn::Or': (items: unknown[], at) => items.some(item => Boolean(value(item, at))),
    'Fn::Not': ([item]: [unknown], at) => !value(item, at),
    'Fn::FindInMap': (keys: unknown[], at) => {
      const [map = '', first = '', second = ''] = keys.map(key => String(value(key, at)));
      return template.Mappings?.[map]?.[first]?.[second];
    },
  };

  function value(input: unknown, at: string): unknown {
    if (Array.isArray(input)) return input.map(item => value(item, at)).filter(item => item !== noValue);
    if (input === null || typeof input !== 'object') return input;
    const entries = Object.entries(input);
    const [[key, argument] = ['', undefined]] = entries;
    const call = entries.length === 1 ? functions[key] : undefined;
    if (call) return call(argument as never, at);
    if (entries.length === 1 && key.startsWith('Fn::')) throw new Error(`${at} uses ${key}, which is not known here`);
    const resolved = entries.map(([name, inner]) => [name, value(inner, at)] as const);
    return Object.fromEntries(resolved.filter(([, inner]) => inner !== noValue));
  }

  return { value, condition };
}

function parameterValues(template: Template, given: Readonly<Record<string, string | number>>): Map<string, unknown> {
  const declared = template.Parameters ?? {};
  const unknown = Object.keys(given).filter(name => !(name in declared));
  if (unknown.length > 0) throw new Error(`The template has no parameter ${unknown.join(', ')}`);
  const values = Object.entries(declared).map(([name, { Type, Default }]): [string, unknown] => {
    const text = given[name] ?? Default;
    if (text === undefined) throw new Error(`The template's parameter ${name} has no value and no default`);
    if (Type === 'CommaDelimitedList' || Type.startsWith('List<')) return [name, String(text).split(/\s*,\s*/)];
    return [name, Type === 'Number' ? Number(text) : String(text)];
  });
  return new Map(values);
}
