-- Deletes the tombstones of keys that were deleted long ago and of which no version is staged any more.
-- Names: control, source. Parameters: the source's name, days.
DELETE FROM {{ control | name }}.tombstones
WHERE
  source_name = %s::VARCHAR(64)
  AND deleted_at < DATEADD(day, -%s::INTEGER, GETDATE())
  AND NOT row_key IN (
    SELECT
      {{ source.key | name }}::VARCHAR(256)
    FROM {{ source.staging | name }}
    WHERE
      NOT {{ source.key | name }} IS NULL
  )
