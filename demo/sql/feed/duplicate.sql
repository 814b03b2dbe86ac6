-- Rows that the window has staged, once more as they are: the ETL delivers at least once.
{% set row = 'window_rows.id' %}
{% from 'macros.sql' import draw with context %}
SELECT
  {{ source.column_names | map("name") | join(", ") }}
FROM (
  SELECT
    window_rows.*,
    ROW_NUMBER() OVER (ORDER BY {{ draw('duplicate', 1000000) }}, window_rows.id, window_rows.updated_at) AS change_number
  FROM {{ source.staging | name }} AS window_rows
  INNER JOIN seed_window
    ON window_rows.updated_at > seed_window.start_at
) AS feed_rows
WHERE
  feed_rows.change_number <= {{ changes }}
