-- Trino's functions (https://trino.io/docs/current/functions.html) where DuckDB has none of that name or one that answers
-- otherwise: a call of `name` in Athena SQL becomes `trino_name`. duckdb-trino.ts lists those that DuckDB has right.
-- typeof() is known when a statement is bound, so a CASE over it costs nothing for each row; but every branch must bind
-- for every type, hence the detours through text. cast_to_type(x, y) keeps the type that DuckDB widens (date to timestamp).

-- Operators: Trino fails where DuckDB answers NULL or converts without a word.
CREATE MACRO operator_comparable(a, b, operation) AS CASE
  WHEN (typeof(a) = 'VARCHAR') <> (typeof(b) = 'VARCHAR') AND typeof(a) NOT IN ('"NULL"', 'JSON') AND typeof(b) NOT IN ('"NULL"', 'JSON')
  THEN error('TYPE_MISMATCH: ' || printf(operation, lower(typeof(a)), lower(typeof(b)))) ELSE a END;
CREATE MACRO helper_scale(type) AS coalesce(try_cast(regexp_extract(type, '^DECIMAL\(\d+,(\d+)', 1) AS INTEGER), 0);
CREATE MACRO helper_floating(a, b) AS typeof(a) IN ('DOUBLE', 'FLOAT') OR typeof(b) IN ('DOUBLE', 'FLOAT');
CREATE MACRO operator_divide(a, b) AS CASE
  WHEN b = 0 THEN CASE WHEN helper_floating(a, b)
    THEN cast_to_type(CASE WHEN a > 0 THEN 'Infinity' WHEN a < 0 THEN '-Infinity' ELSE 'NaN' END, a / b)
    -- A cast that cannot succeed rather than error(), which TRY does not take.
    ELSE cast_to_type('DIVISION_BY_ZERO: Division by zero', a / b) END
  -- A decimal keeps the larger scale of the two: 1.0 / 3 is 0.3.
  WHEN typeof(a / b) = 'DOUBLE' AND NOT helper_floating(a, b)
  THEN cast_to_type(round(CAST(a / b AS DOUBLE), greatest(helper_scale(typeof(a)), helper_scale(typeof(b)))), a / b)
  ELSE a / b END;
CREATE MACRO operator_modulus(a, b) AS CASE
  WHEN b = 0 AND NOT helper_floating(a, b) THEN cast_to_type('DIVISION_BY_ZERO: Division by zero', a % b) ELSE a % b END;
CREATE MACRO operator_minus(a, b) AS CASE WHEN typeof(a) = 'DATE' AND typeof(b) = 'DATE'
  THEN error('NOT_SUPPORTED: The local Athena has no date - date; use date_diff') ELSE a - b END;
-- Only where x[k] is NULL is it asked why. What fails is a cast, which TRY takes.
CREATE MACRO helper_subscript(x, k) AS CASE
  WHEN typeof(x) LIKE '%[]' AND k IS NOT NULL THEN CASE WHEN CAST(k AS VARCHAR) = '0' THEN 'SQL array indices start at 1'
    WHEN CAST(k AS VARCHAR) LIKE '-%' THEN 'Array subscript is negative: ' || k
    WHEN json_array_length(to_json(x)) < try_cast(CAST(k AS VARCHAR) AS BIGINT)
    THEN 'Array subscript must be less than or equal to array length: ' || k || ' > ' || json_array_length(to_json(x)) END
  WHEN typeof(x) LIKE 'MAP(%' AND NOT list_contains(json_keys(to_json(x)), CAST(k AS VARCHAR)) THEN 'Key not present in map: ' || k END;
CREATE MACRO operator_subscript(x, k) AS CASE WHEN x IS NOT NULL AND (x[k] IS NULL OR CAST(k AS VARCHAR) LIKE '-%')
  AND CAST('INVALID_FUNCTION_ARGUMENT: ' || helper_subscript(x, k) AS INTEGER) = 0 THEN NULL ELSE x[k] END;
CREATE MACRO operator_add_interval(a, b) AS cast_to_type(a + b, a);
CREATE MACRO operator_subtract_interval(a, b) AS cast_to_type(a - b, a);

-- Text of values. Java writes a double in [1e-3, 1e7) plainly; CAST AS VARCHAR is always scientific.
CREATE MACRO helper_digits(t) AS ltrim(replace(regexp_extract(t, '[0-9.]+'), '.', ''), '0');
CREATE MACRO helper_exponent(t) AS coalesce(try_cast(regexp_extract(t, 'e(.+)$', 1) AS INTEGER), 0)
  + CASE WHEN regexp_matches(t, '^-?0(\.|$)') THEN -1 - length(regexp_extract(t, '\.(0*)', 1))
    ELSE length(regexp_extract(t, '^-?([0-9]+)', 1)) - 1 END;
CREATE MACRO helper_scientific(t) AS CASE
  WHEN regexp_matches(t, 'inf|nan') THEN replace(replace(t, 'inf', 'Infinity'), 'nan', 'NaN')
  WHEN helper_digits(t) = '' THEN split_part(t, '.', 1) || 'E0'
  ELSE CASE WHEN t LIKE '-%' THEN '-' ELSE '' END || left(helper_digits(t), 1) || '.'
    || coalesce(nullif(rtrim(substr(helper_digits(t), 2), '0'), ''), '0') || 'E' || helper_exponent(t) END;
CREATE MACRO text_of_double(t) AS CASE
  WHEN helper_digits(t) = '' AND t LIKE '%0%' OR abs(try_cast(t AS DOUBLE)) >= 1e-3 AND abs(try_cast(t AS DOUBLE)) < 1e7 THEN t
  ELSE helper_scientific(t) END;
CREATE MACRO text_of_time(t) AS CASE WHEN contains(t, '.') THEN rpad(t, CAST(strpos(t, '.') + 3 AS INTEGER), '0') ELSE t || '.000' END;
CREATE MACRO text_of_instant(t) AS text_of_time(regexp_replace(t, '\+00$', '')) || ' UTC';
CREATE MACRO text_of_binary(b) AS trim(regexp_replace(lower(hex(b)), '(..)', '\1 ', 'g'));
CREATE MACRO text_of_interval(i) AS CASE WHEN date_part('year', i) <> 0 OR date_part('month', i) <> 0
  THEN date_part('year', i) || '-' || date_part('month', i)
  ELSE printf('%s%d %02d:%02d:%06.3f', CASE WHEN epoch(i) < 0 THEN '-' ELSE '' END, CAST(trunc(abs(epoch(i)) / 86400) AS BIGINT),
    CAST(trunc(abs(epoch(i)) / 3600) AS BIGINT) % 24, CAST(trunc(abs(epoch(i)) / 60) AS BIGINT) % 60, abs(epoch(i)) % 60) END;
CREATE MACRO cast_varchar(x) AS CASE
  WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN helper_scientific(CAST(x AS VARCHAR))
  WHEN typeof(x) LIKE 'TIMESTAMP%ZONE' THEN text_of_instant(CAST(x AS VARCHAR))
  WHEN typeof(x) LIKE 'TIME%' THEN text_of_time(CAST(x AS VARCHAR))
  WHEN typeof(x) = 'JSON' THEN json_extract_string(CAST(x AS VARCHAR), '$')
  ELSE CAST(x AS VARCHAR) END;
-- Trino rounds half up where DuckDB's casts round half to even.
CREATE MACRO cast_whole(x) AS CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN cast_to_type(round(try_cast(x AS DOUBLE)), x) ELSE x END;

-- Numbers
CREATE MACRO trino_ceil(x) AS cast_to_type(ceil(x), round(x, 0));
CREATE MACRO trino_ceiling(x) AS trino_ceil(x);
CREATE MACRO trino_floor(x) AS cast_to_type(floor(x), round(x, 0));
CREATE MACRO trino_truncate(x) AS trunc(x), (x, digits) AS trunc(x, digits);
CREATE MACRO trino_sign(x) AS cast_to_type(sign(x), x);
CREATE MACRO trino_mod(a, b) AS operator_modulus(a, b);
CREATE MACRO trino_rand() AS random(), (n) AS CAST(floor(random() * n) AS BIGINT), (low, high) AS CAST(floor(low + random() * (high - low)) AS BIGINT);
CREATE MACRO trino_random() AS random(), (n) AS trino_rand(n), (low, high) AS trino_rand(low, high);
CREATE MACRO trino_is_nan(x) AS isnan(x);
CREATE MACRO trino_is_finite(x) AS isfinite(x);
CREATE MACRO trino_is_infinite(x) AS isinf(x);
CREATE MACRO trino_infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO trino_nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO trino_e() AS exp(1);
CREATE MACRO trino_bitwise_and(a, b) AS CAST(a AS BIGINT) & CAST(b AS BIGINT);
CREATE MACRO trino_bitwise_or(a, b) AS CAST(a AS BIGINT) | CAST(b AS BIGINT);
CREATE MACRO trino_bitwise_xor(a, b) AS xor(CAST(a AS BIGINT), CAST(b AS BIGINT));
CREATE MACRO trino_greatest(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN greatest(a, b) END,
  (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN greatest(a, b, c) END;
CREATE MACRO trino_least(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN least(a, b) END,
  (a, b, c) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL THEN least(a, b, c) END;

-- Strings
CREATE MACRO trino_substr(s, start) AS CASE WHEN start = 0 OR abs(start) > length(s) THEN '' ELSE substr(s, start) END,
  (s, start, size) AS CASE WHEN start = 0 OR abs(start) > length(s) THEN '' ELSE substr(s, start, size) END;
CREATE MACRO trino_substring(s, start) AS trino_substr(s, start), (s, start, size) AS trino_substr(s, start, size);
CREATE MACRO trino_split(s, delimiter) AS string_split(s, delimiter);
CREATE MACRO trino_split_part(s, delimiter, part) AS CASE WHEN part <= len(string_split(s, delimiter)) THEN split_part(s, delimiter, part) END;
CREATE MACRO trino_replace(s, search) AS replace(s, search, ''), (s, search, replacement) AS replace(s, search, replacement);
CREATE MACRO trino_codepoint(s) AS unicode(s);
CREATE MACRO trino_levenshtein_distance(a, b) AS levenshtein(a, b);
CREATE MACRO trino_hamming_distance(a, b) AS hamming(a, b);
CREATE MACRO trino_to_utf8(s) AS encode(s);
CREATE MACRO trino_from_utf8(b) AS decode(b);
CREATE MACRO trino_to_hex(b) AS hex(b);
CREATE MACRO trino_from_hex(s) AS unhex(s);
CREATE MACRO trino_md5(b) AS unhex(md5(b));
CREATE MACRO trino_sha1(b) AS unhex(sha1(b));
CREATE MACRO trino_sha256(b) AS unhex(sha256(b));
CREATE MACRO trino_regexp_like(s, pattern) AS regexp_matches(s, pattern);
CREATE MACRO trino_regexp_extract(s, pattern) AS CASE WHEN regexp_matches(s, pattern) THEN regexp_extract(s, pattern) END,
  (s, pattern, part) AS CASE WHEN regexp_matches(s, pattern) THEN regexp_extract(s, pattern, part) END;
CREATE MACRO trino_regexp_replace(s, pattern) AS regexp_replace(s, pattern, '', 'g'),
  (s, pattern, replacement) AS regexp_replace(s, pattern, regexp_replace(replacement, '\$(\d)', '\\\1', 'g'), 'g');
CREATE MACRO trino_regexp_split(s, pattern) AS regexp_split_to_array(s, pattern);
CREATE MACRO trino_regexp_count(s, pattern) AS len(regexp_extract_all(s, pattern));
CREATE MACRO helper_url(u, pattern) AS CASE WHEN u NOT LIKE '% %' THEN regexp_extract(u, pattern, 1) END;
CREATE MACRO trino_url_extract_protocol(u) AS helper_url(u, '^([a-zA-Z][a-zA-Z0-9+.-]*):');
CREATE MACRO trino_url_extract_host(u) AS nullif(helper_url(u, '^[^:/?#]+://(?:[^/?#@]*@)?([^/?#:]*)'), '');
CREATE MACRO trino_url_extract_port(u) AS try_cast(helper_url(u, '^[^:/?#]+://[^/?#]*:(\d+)(?:[/?#]|$)') AS BIGINT);
CREATE MACRO trino_url_extract_path(u) AS url_decode(helper_url(u, '^(?:[^:/?#]+:)?(?://[^/?#]*)?([^?#]*)'));
CREATE MACRO trino_url_extract_query(u) AS url_decode(helper_url(u, '\?([^#]*)'));
CREATE MACRO trino_url_extract_fragment(u) AS url_decode(helper_url(u, '#(.*)$'));
CREATE MACRO trino_url_extract_parameter(u, name) AS url_decode(replace(list_filter(string_split(helper_url(u, '\?([^#]*)'), '&'),
  lambda pair: pair = name OR starts_with(pair, name || '='))[1][length(name) + 2:], '+', ' '));

-- Times
CREATE MACRO helper_interval(unit, n) AS CASE lower(unit) WHEN 'millisecond' THEN to_milliseconds(n) WHEN 'second' THEN to_seconds(n)
  WHEN 'minute' THEN to_minutes(n) WHEN 'hour' THEN to_hours(n) WHEN 'day' THEN to_days(CAST(n AS INTEGER))
  WHEN 'week' THEN to_days(CAST(7 * n AS INTEGER)) WHEN 'month' THEN to_months(CAST(n AS INTEGER))
  WHEN 'quarter' THEN to_months(CAST(3 * n AS INTEGER)) WHEN 'year' THEN to_years(CAST(n AS INTEGER))
  ELSE error('INVALID_FUNCTION_ARGUMENT: ''' || unit || ''' is not a valid time field') END;
CREATE MACRO trino_date_add(unit, n, x) AS operator_add_interval(x, helper_interval(unit, n));
-- Whole units passed, which DuckDB calls date_sub; its date_diff counts the boundaries crossed.
CREATE MACRO trino_date_diff(unit, a, b) AS date_sub(lower(unit), a, b);
CREATE MACRO trino_date_trunc(unit, x) AS cast_to_type(date_trunc(lower(unit), x), x);
CREATE MACRO trino_date(x) AS CAST(x AS DATE);
CREATE MACRO trino_date_part(unit, x) AS date_part(CASE lower(unit) WHEN 'dow' THEN 'isodow' WHEN 'day_of_week' THEN 'isodow'
  WHEN 'yow' THEN 'isoyear' WHEN 'year_of_week' THEN 'isoyear' WHEN 'day_of_year' THEN 'doy' WHEN 'day_of_month' THEN 'day' ELSE lower(unit) END, x);
CREATE MACRO trino_at_timezone(x, zone) AS timezone(zone, CAST(x AS TIMESTAMPTZ));
CREATE MACRO trino_timezone(zone, x) AS timezone(zone, CAST(x AS TIMESTAMPTZ));
CREATE MACRO trino_current_timezone() AS 'UTC';
CREATE MACRO trino_from_unixtime(x) AS to_timestamp(x), (x, zone) AS timezone(zone, to_timestamp(x));
CREATE MACRO trino_to_unixtime(x) AS epoch(x);
CREATE MACRO trino_from_iso8601_timestamp(s) AS CAST(s AS TIMESTAMPTZ);
CREATE MACRO trino_from_iso8601_date(s) AS CAST(s AS DATE);
CREATE MACRO trino_to_iso8601(x) AS replace(replace(cast_varchar(x), ' UTC', 'Z'), ' ', 'T');
CREATE MACRO trino_last_day_of_month(x) AS last_day(x);
CREATE MACRO trino_day_of_week(x) AS isodow(x);
CREATE MACRO trino_dow(x) AS isodow(x);
CREATE MACRO trino_day_of_month(x) AS day(x);
CREATE MACRO trino_day_of_year(x) AS dayofyear(x);
CREATE MACRO trino_doy(x) AS dayofyear(x);
CREATE MACRO trino_week_of_year(x) AS week(x);
CREATE MACRO trino_year_of_week(x) AS isoyear(x);
CREATE MACRO trino_yow(x) AS isoyear(x);
CREATE MACRO trino_millisecond(x) AS millisecond(x) % 1000;
-- The patterns are strftime's by now: text.ts translates MySQL's and Joda's.
CREATE MACRO trino_date_format(x, pattern) AS strftime(CAST(x AS TIMESTAMP), pattern);
CREATE MACRO trino_format_datetime(x, pattern) AS strftime(CAST(x AS TIMESTAMP), pattern);
CREATE MACRO trino_date_parse(s, pattern) AS CAST(strptime(s, pattern) AS TIMESTAMP);
CREATE MACRO trino_parse_datetime(s, pattern) AS CAST(strptime(s, pattern) AS TIMESTAMPTZ);

-- JSON: what is no JSON has no members, where DuckDB fails.
CREATE MACRO helper_json(j) AS CASE WHEN json_valid(CAST(j AS VARCHAR)) THEN CAST(j AS VARCHAR) END;
CREATE MACRO helper_path(p) AS regexp_replace(regexp_replace(p, '^\s*(lax|strict)\s+', ''), '\[[''"]([^''"]*)[''"]\]', '."\1"', 'g');
CREATE MACRO trino_json_extract(j, p) AS json_extract(helper_json(j), helper_path(p));
CREATE MACRO trino_json_extract_scalar(j, p) AS CASE WHEN json_type(helper_json(j), helper_path(p)) NOT IN ('OBJECT', 'ARRAY')
  THEN json_extract_string(helper_json(j), helper_path(p)) END;
CREATE MACRO trino_json_value(j, p) AS trino_json_extract_scalar(j, p);
CREATE MACRO trino_json_query(j, p) AS CAST(trino_json_extract(j, p) AS VARCHAR);
CREATE MACRO trino_json_exists(j, p) AS json_exists(helper_json(j), helper_path(p));
CREATE MACRO trino_json_parse(s) AS CAST(s AS JSON);
CREATE MACRO trino_json_format(j) AS CAST(j AS VARCHAR);
CREATE MACRO trino_json_array_length(j) AS CASE WHEN json_type(helper_json(j)) = 'ARRAY' THEN json_array_length(helper_json(j)) END;
CREATE MACRO trino_json_array_contains(j, x) AS list_contains(json_extract_string(helper_json(j), '$[*]'), CAST(x AS VARCHAR));
CREATE MACRO trino_json_size(j, p) AS CASE json_type(helper_json(j), helper_path(p)) WHEN 'OBJECT' THEN len(json_keys(helper_json(j), helper_path(p)))
  WHEN 'ARRAY' THEN json_array_length(helper_json(j), helper_path(p)) WHEN NULL THEN NULL ELSE 0 END;

-- Arrays and maps
CREATE MACRO trino_element_at(x, k) AS x[k];
CREATE MACRO trino_contains(a, x) AS list_contains(a, x);
CREATE MACRO trino_array_distinct(a) AS list_filter(a, lambda item, i: list_position(a, item) = i);
CREATE MACRO trino_array_sort(a) AS list_sort(a, 'ASC', 'NULLS LAST');
CREATE MACRO trino_array_max(a) AS CASE WHEN len(a) = list_count(a) THEN list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN len(a) = list_count(a) THEN list_min(a) END;
CREATE MACRO trino_array_join(a, separator) AS array_to_string(a, separator),
  (a, separator, missing) AS array_to_string(list_transform(a, lambda item: coalesce(CAST(item AS VARCHAR), missing)), separator);
CREATE MACRO trino_array_position(a, x) AS CAST(coalesce(list_position(a, x), 0) AS BIGINT);
CREATE MACRO trino_array_remove(a, x) AS list_filter(a, lambda item: item <> x);
CREATE MACRO trino_array_union(a, b) AS trino_array_distinct(list_concat(a, b));
CREATE MACRO trino_array_intersect(a, b) AS trino_array_distinct(list_filter(a, lambda item: list_contains(b, item)));
CREATE MACRO trino_array_except(a, b) AS trino_array_distinct(list_filter(a, lambda item: NOT list_contains(b, item)));
CREATE MACRO trino_arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO trino_zip(a, b) AS list_zip(a, b), (a, b, c) AS list_zip(a, b, c);
CREATE MACRO trino_slice(a, start, size) AS list_slice(a, start, start + size - 1);
CREATE MACRO trino_sequence(first, last) AS CASE WHEN first <= last THEN generate_series(first, last) ELSE generate_series(first, last, -1) END,
  (first, last, step) AS list_transform(generate_series(first, last, step), lambda item: cast_to_type(item, first));
CREATE MACRO trino_repeat(x, n) AS list_transform(range(n), lambda i: x);
CREATE MACRO trino_cardinality(x) AS CASE json_type(to_json(x)) WHEN 'ARRAY' THEN json_array_length(to_json(x)) ELSE len(json_keys(to_json(x))) END;
-- One value for each key, the first, as Trino's: sorted by key and place, each pair beside the one before it, in n log n.
CREATE MACRO helper_placed(pairs) AS list_sort(list_transform(list_filter(pairs, lambda pair: pair[1] IS NOT NULL),
  lambda pair, i: row(pair[1], i, pair[2])));
CREATE MACRO helper_firsts(placed) AS list_filter(list_zip(placed, list_concat([NULL], placed[:-2])),
  lambda two, i: two[1][1] IS NOT NULL AND (i = 1 OR two[1][1] <> two[2][1]));
CREATE MACRO helper_map(pairs) AS CASE WHEN pairs IS NOT NULL THEN
  map_from_entries(list_transform(helper_firsts(helper_placed(pairs)), lambda two: row(two[1][1], two[1][3]))) END;
