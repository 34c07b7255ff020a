import { readFileSync } from 'node:fs';
import { call, constant, type Node, operator, unnamed } from './tree.ts';

const macros = readFileSync(new URL('./functions.sql', import.meta.url), 'utf8');
const replaced = new Set([...macros.matchAll(/^CREATE MACRO trino_(\w+)/gm)].map(([, name]) => name));

/** Trino's functions that DuckDB has under the same name with the same answers. */
const shared = new Set(
  `abs acos asin atan atan2 cbrt cos cosh degrees exp ln log log10 log2 pi pow power radians round sin sinh sqrt tan tanh
  bit_length chr concat_ws ends_with length lower lpad ltrim position reverse rpad rtrim starts_with strpos to_base64 from_base64
  translate trim upper uuid url_decode url_encode regexp_extract_all like_escape not_like_escape
  day hour minute month quarter second week year now flatten map map_keys map_values map_entries map_from_entries map_concat
  row nullif any_value array_agg avg bool_and bool_or corr count count_if count_star covar_pop covar_samp histogram kurtosis
  listagg max min regr_intercept regr_slope skewness stddev stddev_pop stddev_samp sum var_pop var_samp variance
  cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number`.split(/\s+/),
);

const renamed: Readonly<Record<string, string>> = {
  ...{ arbitrary: 'any_value', every: 'bool_and', geometric_mean: 'geomean' },
  ...{ bitwise_and_agg: 'bit_and', bitwise_or_agg: 'bit_or', transform: 'list_transform', filter: 'list_filter' },
};

type Rewrite = (node: Node, children: readonly Node[]) => Node | undefined;

/** Calls that become another shape; undefined where it does not fit these arguments. */
const reshaped: Readonly<Record<string, Rewrite>> = {
  // DuckDB's estimate is off by a quarter on small sets; an exact count is within any error asked for.
  approx_distinct: (node, [value]) => value && { ...node, function_name: 'count', distinct: true, children: [value] },
  approx_percentile: (node, children) =>
    children.length === 2 ? { ...node, function_name: 'quantile_disc' } : undefined,
  concat: (node, [first, ...rest]) =>
    first && rest.reduce((left, right) => operator(node, '||', [unnamed(left), right]), first),
  map_agg: (node, children) => {
    const pairs = { ...unnamed(node), function_name: 'list', children: [call(unnamed(node), 'row', children)] };
    return call(node, 'helper_map', [pairs]);
  },
  max_by: (node, children) => ({ ...node, function_name: children.length === 2 ? 'arg_max_null' : 'arg_max' }),
  min_by: (node, children) => ({ ...node, function_name: children.length === 2 ? 'arg_min_null' : 'arg_min' }),
  reduce: (node, [list, initial, step, final]) => {
    const inner = (name: string, ...children: unknown[]) => call(unnamed(node), name, children);
    const reduced = inner('list_value', inner('list_reduce', list, step, initial));
    return call(node, 'list_extract', [inner('list_transform', reduced, final), constant(node, 1)]);
  },
  any_match: (node, children) => call(node, 'list_bool_or', [call(unnamed(node), 'list_transform', children)]),
  all_match: (node, children) => call(node, 'list_bool_and', [call(unnamed(node), 'list_transform', children)]),
  // What the parser makes of DuckDB's own [1, 2] and {'a': 1}.
  list_value: () => undefined,
  struct_pack: () => undefined,
};

/** A call of Trino's function as DuckDB's; undefined where Trino has no such function, or the local Athena not these arguments. */
export function rewriteCall(node: Node, name: string, children: readonly Node[]): Node | undefined {
  const reshape = reshaped[name];
  if (reshape) return reshape(node, children);
  const target = renamed[name] ?? (replaced.has(name) ? `trino_${name}` : shared.has(name) ? name : undefined);
  return target === undefined ? undefined : { ...node, function_name: target, schema: '' };
}

/** Trino's other functions (https://trino.io/docs/current/functions/list.html), so that it is told who lacks one. */
export const missingHere = new Set(
  `approx_most_frequent approx_set bar beta_cdf bing_tile bing_tile_at bit_count bitwise_left_shift bitwise_not
  bitwise_right_shift checksum color combinations contains_sequence convex_hull_agg cosine_similarity crc32 empty_approx_set
  format format_number from_base from_base32 from_base64url from_big_endian_32 from_big_endian_64 from_encoded_polyline
  from_ieee754_32 from_ieee754_64 from_iso8601_timestamp_nanos from_unixtime_nanos geometry_union great_circle_distance
  hash_counts hmac_md5 hmac_sha1 hmac_sha256 hmac_sha512 human_readable_seconds intersection_cardinality inverse_beta_cdf
  inverse_normal_cdf jaccard_index json_array json_array_get json_object line_locate_point luhn_check make_set_digest map_filter
  map_union map_zip_with merge merge_set_digest multimap_agg multimap_from_entries murmur3 ngrams none_match normal_cdf
  normalize numeric_histogram parse_data_size parse_duration parse_presto_data_size qdigest_agg quantile_at_value reduce_agg
  regexp_position render rgb sha512 shuffle simplify_geometry soundex split_to_map split_to_multimap spooky_hash_v2_32
  spooky_hash_v2_64 tdigest_agg timezone_hour timezone_minute to_base to_base32 to_base64url to_big_endian_32 to_big_endian_64
  to_encoded_polyline to_ieee754_32 to_ieee754_64 to_milliseconds transform_keys transform_values trim_array typeof
  value_at_quantile values_at_quantiles width_bucket wilson_interval_lower wilson_interval_upper with_timezone word_stem
  xxhash64 zip_with`.split(/\s+/),
);

/** By DuckDB's name; `operator_…` are macros. */
export const operators: Readonly<Record<string, string>> = {
  ...{ '+': '+', '*': '*', '||': '||', '~~': '~~', '!~~': '!~~', '-': 'operator_minus' },
  ...{ '/': 'operator_divide', '%': 'operator_modulus' },
};

/** By DuckDB's node type, as Trino's messages write them. */
export const comparisons: Readonly<Record<string, string>> = {
  ...{ COMPARE_EQUAL: '=', COMPARE_NOTEQUAL: '<>', COMPARE_LESSTHAN: '<', COMPARE_GREATERTHAN: '>' },
  ...{
    COMPARE_LESSTHANOREQUALTO: '<=',
    COMPARE_GREATERTHANOREQUALTO: '>=',
    COMPARE_BETWEEN: 'BETWEEN',
    COMPARE_IN: 'IN',
  },
  ...{ COMPARE_NOT_IN: 'IN', COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM', COMPARE_NOT_DISTINCT_FROM: 'IS DISTINCT FROM' },
};

/** Functions whose second argument is a date pattern, by the kind of its letters. */
export const datePatterns: Readonly<Record<string, 'mysql' | 'joda'>> = {
  ...{ date_format: 'mysql', date_parse: 'mysql', format_datetime: 'joda', parse_datetime: 'joda' },
};
