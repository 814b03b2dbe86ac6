-- Tags.
-- One row is a tag.
SELECT
  id AS tag_id,
  name AS tag_name,
  creator_company_mapping_id,
  status,
  created_at,
  updated_at,
  visibility_level_type,
  visibility_level_id,
  user_company_mapping_id,
  description,
  tag_group,
  color,
  icon,
  is_system_tag,
  is_exclusive,
  taggings_count,
  display_position,
  valid_from,
  valid_until,
  translations,
  approved_by,
  approved_at,
  updated_by,
  erp_id,
  lock_version
FROM {{ source('public', 'tags') }}
