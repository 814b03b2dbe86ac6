-- Number of recomputed groups that no rows can have.
-- Names: groups.
SELECT
  COUNT(*) AS groups
FROM scdc_recomputed
WHERE
  scdc_rows <= 0
{% for column in groups.numbers if column.startswith("scdc_count_") %}
  OR {{ column | name }} < 0
  OR {{ column | name }} > scdc_rows
{% endfor %}
