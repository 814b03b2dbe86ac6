-- Which of some keys of a source are staged in the window. Grain: a key.
-- Names: source, keys (their number). Parameters: window end, window start (NULL: no bound), keys.
SELECT DISTINCT
  {{ source.key | name }}::VARCHAR(256) AS row_key
FROM {{ source.staging | name }}
WHERE
  (
    {{ source.cursor | name }} IS NULL
    OR (
      {{ source.cursor | name }} < %s::TIMESTAMP
      AND {{ source.cursor | name }} >= COALESCE(%s::TIMESTAMP, {{ source.cursor | name }})
    )
  )
  AND {{ source.key | name }}::VARCHAR(256) IN (
{% for _ in keys %}
    %s{{ "" if loop.last else "," }}
{% endfor %}
  )
