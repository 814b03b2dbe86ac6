-- Remembers when the keys that a change set deletes were deleted, so that no older version brings them back. Grain: a key.
-- Names: control, source, relation. Parameters: the source's name.
{% from "key.jinja" import kept_key %}
INSERT INTO {{ control | name }}.tombstones (
  source_name,
  row_key,
  deleted_at
)
SELECT
  %s::VARCHAR(64),
  {{ kept_key(source, "") }},
  {{ source.cursor | name }}
FROM {{ relation | name }}
WHERE
  scdc_change IN ('D', 'N')
