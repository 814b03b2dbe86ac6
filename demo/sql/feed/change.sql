-- Some rows of one source with some columns changed; the statement around it takes the other columns as they are.
-- A row is the newest version of its key, staged or in the baseline, and not removed. Each version is newer than all before.
SELECT
{% block changes %}
{% endblock %}
{% block cursor %}
  feed_rows.changed_at AS updated_at
{% endblock %}
FROM (
  SELECT
    picked.*,
    DATEADD(
      microsecond,
      CAST(({{ staged }} + picked.change_number) * {{ microseconds }} AS INTEGER),
      seed_window.start_at
    ) AS changed_at
  FROM (
    SELECT
      newest.*,
      ROW_NUMBER() OVER (ORDER BY newest.pick_number, newest.id) AS change_number
    FROM (
      SELECT
        versions.*,
        candidates.pick_number,
        ROW_NUMBER() OVER (PARTITION BY versions.id ORDER BY versions.updated_at DESC) AS version_number
      FROM (
{% include 'feed/candidates.sql' %}
      ) AS candidates
      INNER JOIN (
        SELECT
          {{ source.column_names | map("name") | join(", ") }}
        FROM {{ source.relation | name }}
        UNION ALL
        SELECT
          {{ source.column_names | map("name") | join(", ") }}
        FROM {{ source.staging | name }}
      ) AS versions
        ON candidates.id = versions.id
    ) AS newest
    WHERE
      newest.version_number = 1
      AND CASE WHEN {{ source.delete_when or "1 = 0" }} THEN 1 ELSE 0 END = 0
      AND {% block condition %}1 = 1{% endblock %}
  ) AS picked
  CROSS JOIN seed_window
  WHERE
    picked.change_number <= {{ changes }}
) AS feed_rows
WHERE
  feed_rows.updated_at < feed_rows.changed_at
