import type { Catalog, CatalogColumn, CatalogTable } from '../../engines/trino/catalog.ts';
import { createJsonService, type JsonAction, type JsonInput } from '../../gate/json-protocol.ts';
import { AwsError } from '../../gate/service.ts';
import { type CloudContext, type CloudPart, provider } from '../../part.ts';
import type { State } from '../../state.ts';

export type GlueTable = CatalogTable;
export interface Glue extends CloudPart, Catalog {}

interface Column {
  readonly Name: string;
  readonly Type: string;
  readonly Comment?: string | undefined;
}

/** As on the wire and in the template; what is not looked at is kept. */
interface TableInput {
  readonly Name: string;
  readonly TableType?: string;
  readonly Parameters?: Readonly<Record<string, string>>;
  readonly PartitionKeys?: readonly Column[];
  readonly StorageDescriptor?: {
    readonly Columns?: readonly Column[];
    readonly Location?: string;
    readonly SerdeInfo?: { readonly SerializationLibrary?: string };
  };
  readonly ViewOriginalText?: string | undefined;
}

interface StoredTable {
  readonly database: string;
  readonly input: TableInput;
  readonly epochSeconds: number;
  /** Such a table outlives a restart; the template's come from the template each time. */
  readonly byDdl: boolean;
}

/** The members that this service reads of its requests. */
interface Request {
  readonly Name?: string;
  readonly DatabaseName?: string;
  readonly TableName?: string;
  readonly TableInput?: TableInput;
  readonly Expression?: string;
}

/** The Glue Data Catalog: databases and tables, no crawlers and, since partitions are projected, none of those. */
export function createGlue(context: CloudContext, { state }: { readonly state: State }): Glue {
  const arn = `arn:aws:glue:${context.region}:${context.accountId}`;
  const databases = new Set<string>();
  const stored = new Map<string, StoredTable>();
  for (const table of JSON.parse(state.get('glue', 'tables') ?? '[]') as StoredTable[]) set(table);

  function set(table: StoredTable): void {
    stored.set(`${table.database}.${table.input.Name.toLowerCase()}`, table);
  }

  function keep(): void {
    state.set('glue', 'tables', JSON.stringify([...stored.values()].filter(table => table.byDdl)));
  }

  function save(database: string, input: TableInput, byDdl: boolean): void {
    set({ database: database.toLowerCase(), input, epochSeconds: context.now() / 1000, byDdl });
    if (byDdl) keep();
  }

  function remove(database: string, name: string): void {
    if (stored.delete(`${database}.${name}`.toLowerCase())) keep();
  }

  function databaseOf({ DatabaseName, Name = '' }: Request): string {
    const name = DatabaseName ?? Name;
    if (databases.has(name.toLowerCase())) return name.toLowerCase();
    throw new AwsError('EntityNotFoundException', `Database ${name} not found.`);
  }

  function tableOf(request: Request): StoredTable {
    const name = request.TableInput?.Name ?? request.TableName ?? request.Name ?? '';
    const table = stored.get(`${databaseOf(request)}.${name.toLowerCase()}`);
    if (table) return table;
    throw new AwsError('EntityNotFoundException', `Entity Not Found: table ${request.DatabaseName}.${name}`);
  }

  const inDatabase = (database: string) => [...stored.values()].filter(table => table.database === database);
  const described = ({ database, input, epochSeconds }: StoredTable) => {
    return { ...input, DatabaseName: database, CatalogId: context.accountId, CreateTime: epochSeconds };
  };
  const describedDatabase = (Name: string) => ({ Name, CatalogId: context.accountId });

  function action(perform: (request: Request) => unknown): JsonAction {
    const resources = ({ DatabaseName, Name = '*', TableName, TableInput }: Request) => {
      const table = `${arn}:table/${DatabaseName}/${TableInput?.Name ?? TableName ?? Name}`;
      return [`${arn}:catalog`, `${arn}:database/${DatabaseName ?? Name}`, ...(DatabaseName ? [table] : [])];
    };
    return { resources: (input: JsonInput) => resources(input), perform: (input: JsonInput) => perform(input) };
  }

  const actions = {
    GetDatabase: action(request => ({ Database: describedDatabase(databaseOf(request)) })),
    GetDatabases: action(() => ({ DatabaseList: [...databases].map(describedDatabase) })),
    GetTable: action(request => ({ Table: described(tableOf(request)) })),
    GetTables: action(request => {
      const named = new RegExp(`^(${request.Expression ?? '.*'})$`);
      const tables = inDatabase(databaseOf(request)).filter(({ input }) => named.test(input.Name));
      return { TableList: tables.map(described) };
    }),
    GetPartitions: action(request => ({ Partitions: tableOf(request) && [] })),
    CreateTable: action(request => {
      const [database, input] = [databaseOf(request), request.TableInput];
      if (!input?.Name) throw new AwsError('InvalidInputException', 'TableInput has no Name');
      const isThere = stored.has(`${database}.${input.Name.toLowerCase()}`);
      if (isThere) throw new AwsError('AlreadyExistsException', 'Table already exists.');
      save(database, input, true);
    }),
    UpdateTable: action(request => save(tableOf(request).database, request.TableInput ?? { Name: '' }, true)),
    DeleteTable: action(request => remove(tableOf(request).database, request.Name ?? '')),
  };

  return {
    services: [createJsonService({ name: 'glue', targetPrefix: 'AWSGlue', actions })],
    providers: {
      'AWS::Glue::Database': provider<{ DatabaseInput: { Name: string } }>(({ properties }) => {
        databases.add(properties.DatabaseInput.Name.toLowerCase());
        return { ref: properties.DatabaseInput.Name };
      }),
      'AWS::Glue::Table': provider<{ DatabaseName: string; TableInput: TableInput }>(({ properties }) => {
        save(properties.DatabaseName, properties.TableInput, false);
        return { ref: properties.TableInput.Name };
      }),
    },
    databases: () => [...databases],
    table: (database, name) => {
      const found = stored.get(`${database}.${name}`.toLowerCase());
      return found && catalogTable(found);
    },
    tables: database => inDatabase(database.toLowerCase()).map(catalogTable),
    saveView: ({ database, name, columns, viewOriginalText }) => {
      const Columns = columns.map(column => ({ Name: column.name, Type: column.type }));
      const Parameters = { presto_view: 'true', comment: 'Presto View' };
      const view = { Name: name, TableType: 'VIRTUAL_VIEW', Parameters, StorageDescriptor: { Columns, SerdeInfo: {} } };
      save(database, { ...view, ViewOriginalText: viewOriginalText }, true);
    },
    remove,
  };
}

function catalogTable({ database, input }: StoredTable): CatalogTable {
  const storage = input.StorageDescriptor;
  return {
    ...{ database, name: input.Name.toLowerCase(), parameters: input.Parameters ?? {}, location: storage?.Location },
    ...{ columns: columnsOf(storage?.Columns), partitionKeys: columnsOf(input.PartitionKeys) },
    ...{ serde: storage?.SerdeInfo?.SerializationLibrary, viewOriginalText: input.ViewOriginalText },
  };
}

function columnsOf(columns: readonly Column[] = []): CatalogColumn[] {
  return columns.map(({ Name, Type, Comment }) => ({ name: Name.toLowerCase(), type: Type, comment: Comment }));
}
