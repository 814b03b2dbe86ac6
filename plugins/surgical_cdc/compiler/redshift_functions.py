"""Redshift's own functions whose value depends on nothing but their arguments, by the name that is sent.

Collected from the SQL functions reference of the Amazon Redshift Database Developer Guide, by its pages. What that
reference has beside these depends on the run or the session, is the leader node's, which takes it on no table, or is a
model's. What is not there is a function of a user, of which nothing is known.
"""

from __future__ import annotations

import re

from sqlglot import exp

BY_PAGE = {
    "c_Aggregate_Functions, c_bitwise_aggregate_functions, r_GROUP_BY_clause": (
        "avg bit_and bit_or bool_and bool_or count grouping grouping_id listagg max median min "
        "percentile_cont percentile_disc stddev stddev_pop stddev_samp sum var_pop var_samp variance "
    ),
    "c_Window_functions": (
        "cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank "
        "ratio_to_report row_number "
    ),
    "c_conditional_expressions, r_exists_condition": ("coalesce decode exists greatest least nullif nvl nvl2 "),
    "Date_functions_header": (
        "convert_timezone date date_cmp date_cmp_timestamp date_cmp_timestamptz date_part "
        "date_part_year date_trunc dateadd datediff extract interval_cmp last_day months_between next_day "
        "timestamp_cmp timestamp_cmp_date timestamp_cmp_timestamptz timestamptz_cmp timestamptz_cmp_date "
        "timestamptz_cmp_timestamp timezone to_timestamp "
    ),
    "r_Data_type_formatting": ("cast convert text_to_int_alt text_to_numeric_alt to_char to_date to_number try_cast "),
    "String_functions_header": (
        "ascii bpcharcmp btrim bttext_pattern_cmp char_length character_length charindex chr collate concat "
        "crc32 difference initcap left len length lower lpad ltrim octet_length octetindex position "
        "quote_ident quote_literal regexp_count regexp_instr regexp_replace regexp_substr repeat replace "
        "replicate reverse right rpad rtrim soundex split_part strpos strtol substr substring textlen "
        "translate trim upper "
    ),
    "Math_functions": (
        "abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees dexp dlog1 dlog10 exp floor ln log mod pi "
        "pow power radians round sign sin sqrt tan to_hex trunc "
    ),
    "hash-functions": ("checksum farmfingerprint64 fnv_hash func_sha1 md5 murmur3_32_hash sha sha1 sha2 "),
    "hyperloglog-functions": ("hll hll_cardinality hll_combine hll_combine_sketches hll_create_sketch "),
    "json-functions": (
        "can_json_parse is_valid_json is_valid_json_array json_array_length json_extract_array_element_text "
        "json_extract_path_text json_parse json_serialize json_serialize_to_varbyte "
    ),
    "c_Array_Functions, Object_Functions, c_Type_Info_Functions": (
        "array array_concat array_contains array_distinct array_except array_flatten array_intersection "
        "array_position array_positions array_sort array_union arrays_overlap decimal_precision decimal_scale "
        "get_array_length get_number_attributes is_array is_bigint is_boolean is_char is_decimal is_float "
        "is_integer is_object is_scalar is_smallint is_varchar json_size json_typeof lower_attribute_names "
        "object object_transform size split_to_array subarray upper_attribute_names "
    ),
    "varbyte-functions": ("from_hex from_varbyte getbit to_varbyte "),
    "geospatial-functions": (
        "addbbox dropbbox geometrytype h3_boundary h3_center h3_fromlonglat h3_frompoint h3_isvalid "
        "h3_polyfill h3_resolution h3_tochildren h3_toparent st_addpoint st_angle st_area st_asbinary "
        "st_asewkb st_asewkt st_asgeojson st_ashexewkb st_ashexwkb st_astext st_azimuth st_boundary st_buffer "
        "st_centroid st_collect st_contains st_containsproperly st_convexhull st_coveredby st_covers "
        "st_crosses st_dimension st_disjoint st_distance st_distancesphere st_dwithin st_endpoint st_envelope "
        "st_equals st_exteriorring st_force2d st_force3d st_force3dm st_force3dz st_force4d st_geogfromtext "
        "st_geogfromwkb st_geohash st_geometryn st_geometrytype st_geomfromewkb st_geomfromewkt "
        "st_geomfromgeohash st_geomfromgeojson st_geomfromgeosquare st_geomfromtext st_geomfromwkb "
        "st_geosquare st_interiorringn st_intersection st_intersects st_isclosed st_iscollection st_isempty "
        "st_ispolygonccw st_ispolygoncw st_isring st_issimple st_isvalid st_length st_length2d "
        "st_lengthsphere st_linefrommultipoint st_lineinterpolatepoint st_m st_makeenvelope st_makeline "
        "st_makepoint st_makepolygon st_memsize st_mmax st_mmin st_multi st_ndims st_npoints st_nrings "
        "st_numgeometries st_numinteriorrings st_numpoints st_perimeter st_perimeter2d st_point st_pointn "
        "st_points st_polygon st_removepoint st_reverse st_setpoint st_setsrid st_simplify st_srid "
        "st_startpoint st_touches st_transform st_union st_within st_x st_xmax st_xmin st_y "
        "st_ymax st_ymin st_z st_zmax st_zmin supportsbbox "
    ),
}
BUILT_IN = frozenset(" ".join(BY_PAGE.values()).split())
DATE_FUNCTIONS = frozenset(BY_PAGE["Date_functions_header"].split())
CALL = re.compile(r'("[^"]+"|\w+)\(')


def called_by(part: exp.Expr) -> str:
    """Return the name of the function that a part of a query calls, as it is sent; empty where it calls none."""
    called = CALL.match(part.sql("redshift")) if isinstance(part, exp.Func) else None
    return called[1].strip('"').lower() if called else ""


def is_foreign(part: exp.Expr) -> bool:
    """Return whether a part of a query calls a function that is not known to be Redshift's own."""
    if isinstance(part, exp.Dot):
        return isinstance(part.expression, exp.Func)
    called = "" if isinstance(part.parent, exp.Dot) else called_by(part)
    return bool(called) and called not in BUILT_IN
