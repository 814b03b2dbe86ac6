-- Which ids each source has, and the newest version that the ETL has staged of any.
-- Grain: one row a source.
{% for source in sources %}
SELECT
  '{{ source.name }}' AS source_name,
  MIN(rows_of.lowest_id) AS lowest_id,
  MAX(rows_of.highest_id) AS highest_id,
  MAX(rows_of.newest) AS newest
FROM (
  SELECT
    MIN({{ source.key[0] | name }}) AS lowest_id,
    MAX({{ source.key[0] | name }}) AS highest_id,
    CAST(NULL AS TIMESTAMP) AS newest
  FROM {{ source.relation | name }}
  UNION ALL
  SELECT
    MIN({{ source.key[0] | name }}) AS lowest_id,
    MAX({{ source.key[0] | name }}) AS highest_id,
    MAX({{ source.cursor | name }}) AS newest
  FROM {{ source.staging | name }}
) AS rows_of
{% if not loop.last %}
UNION ALL
{% endif %}
{% endfor %}
