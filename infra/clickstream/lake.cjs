// The lake's tables, made from the event contract, so that a column is written down once.
// Without `projection.*` a crawler or ALTER TABLE would have to announce each day; with it Athena computes the folders.
// CommonJS, because osls reads no ES module here; Node itself strips the contract's types.
const { eventColumns } = require('../../src/lib/clickstream/event.ts');
const { failedEventColumns } = require('../../src/lib/clickstream/failed-event.ts');

const parquet = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
};

const jsonLines = {
  InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  SerdeInfo: { SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
};

const day = { Name: 'day', Type: 'string', Comment: 'Day of receipt, UTC' };

/** The template part for osls: `${file(./infra/clickstream/lake.cjs)}`. */
module.exports = async function lake({ resolveVariable }) {
  const stage = await resolveVariable('sls:stage');
  const startDay = await resolveVariable('self:custom.stage.lakeStartDay');
  const database = `tableside_${stage}`;

  function table(name, description, columns, format, classification) {
    return {
      Type: 'AWS::Glue::Table',
      Properties: {
        CatalogId: { Ref: 'AWS::AccountId' },
        DatabaseName: { Ref: 'LakeDatabase' },
        TableInput: {
          Name: name,
          Description: description,
          TableType: 'EXTERNAL_TABLE',
          Parameters: {
            EXTERNAL: 'TRUE',
            classification,
            'projection.enabled': 'true',
            'projection.day.type': 'date',
            'projection.day.format': 'yyyy-MM-dd',
            'projection.day.range': `${startDay},NOW`,
          },
          PartitionKeys: [day],
          StorageDescriptor: {
            ...format,
            Location: { 'Fn::Sub': `s3://\${LakeBucket}/${name}/` },
            Columns: glueColumns(columns),
          },
        },
      },
    };
  }

  return {
    Resources: {
      LakeDatabase: {
        Type: 'AWS::Glue::Database',
        Properties: {
          CatalogId: { Ref: 'AWS::AccountId' },
          DatabaseInput: { Name: database, Description: 'Everything guests did, and what could not be understood.' },
        },
      },
      EventsTable: table('events', 'One row a stored event.', eventColumns, parquet, 'parquet'),
      FailedEventsTable: table(
        'failed_events',
        'One row a refused event, raw, with its reason.',
        failedEventColumns,
        jsonLines,
        'json',
      ),
      EventsUniqueView: view(database, 'events_unique', [...glueColumns(eventColumns), day], uniqueEventsSql()),
    },
    Outputs: { LakeDatabaseName: { Value: { Ref: 'LakeDatabase' } } },
  };
};

/** The first copy of each event of a day: trackers send again what they are not sure of. A query over one day scans one day. */
function uniqueEventsSql() {
  const names = [...eventColumns.map(column => column.name), 'day'].join(', ');
  return (
    `SELECT ${names} FROM (SELECT *, row_number() OVER (PARTITION BY day, event_id ORDER BY received_at, ingest_seq) ` +
    'AS copy_number FROM events) WHERE copy_number = 1'
  );
}

function glueColumns(columns) {
  return columns.map(({ name, type, comment }) => ({ Name: name, Type: type, Comment: comment }));
}

const prestoTypes = { string: 'varchar', timestamp: 'timestamp(3)', int: 'integer' };

/** A view as Athena itself stores it: a virtual table whose text is the base64 of Presto's own description. */
function view(database, name, columns, sql) {
  const description = {
    originalSql: sql,
    catalog: 'awsdatacatalog',
    schema: database,
    columns: columns.map(({ Name, Type }) => ({ name: Name, type: prestoTypes[Type] ?? Type })),
  };
  const encoded = Buffer.from(JSON.stringify(description)).toString('base64');
  return {
    Type: 'AWS::Glue::Table',
    DependsOn: 'EventsTable',
    Properties: {
      CatalogId: { Ref: 'AWS::AccountId' },
      DatabaseName: { Ref: 'LakeDatabase' },
      TableInput: {
        Name: name,
        Description: 'The first copy of each event.',
        TableType: 'VIRTUAL_VIEW',
        Parameters: { presto_view: 'true', comment: 'Presto View' },
        // Athena wants the list even where it is empty.
        PartitionKeys: [],
        ViewOriginalText: `/* Presto View: ${encoded} */`,
        ViewExpandedText: '/* Presto View */',
        StorageDescriptor: { Columns: columns, SerdeInfo: {} },
      },
    },
  };
}
