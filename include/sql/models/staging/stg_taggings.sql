-- Tags on records of any kind.
-- One row is a tag on a record.
SELECT
  id AS tagging_id,
  tag_id,
  taggable_type,
  taggable_id,
  status,
  tagged_by_id,
  created_at,
  updated_at,
  context,
  weight,
  confidence,
  is_automatic,
  rule_id,
  note,
  valid_from,
  valid_until,
  approved_by,
  approved_at,
  updated_by,
  import_batch,
  erp_id,
  lock_version
FROM {{ source('public', 'taggings') }}
