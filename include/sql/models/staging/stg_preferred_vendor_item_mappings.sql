-- Preferred vendors of items.
-- One row is an item for which a company is a preferred vendor.
SELECT
  id AS preferred_item_mapping_id,
  item_type,
  item_id,
  company_id,
  status,
  created_at,
  updated_at,
  preference_rank,
  allocation_percent,
  min_order_quantity,
  max_order_quantity,
  unit_of_measure,
  agreed_price,
  currency,
  lead_time_days,
  valid_from,
  valid_until,
  contract_number,
  is_exclusive,
  approved_by,
  approved_at,
  remarks,
  created_by,
  updated_by,
  lock_version
FROM {{ source('public', 'preferred_vendor_item_mappings') }}
