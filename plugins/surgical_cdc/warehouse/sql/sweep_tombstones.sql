-- Deletes the tombstones of keys that were deleted long ago and of which no version is staged any more.
-- Names: control, source. Parameters: the source's name, days.
{% from "key.jinja" import kept_key, null_key_part %}
DELETE FROM {{ control | name }}.tombstones
WHERE
  source_name = %s::VARCHAR(64)
  AND deleted_at < DATEADD(day, -%s::INTEGER, GETDATE())
  AND NOT row_key IN (
    SELECT
      {{ kept_key(source, "") }}
    FROM {{ source.staging | name }}
    WHERE
      NOT ({{ null_key_part(source.key, "") }})
  )
