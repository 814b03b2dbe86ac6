-- Items for which a company is a preferred vendor.
-- One row is a company.
SELECT
  numbered.company_id,
  COUNT(*) AS preferred_item_count,
  LISTAGG(
    CASE WHEN numbered.item_number <= 3000 THEN CAST(numbered.item_id AS VARCHAR(20)) END,
    ','
  ) WITHIN GROUP (ORDER BY numbered.item_id) AS preferred_item_ids
FROM (
  SELECT
    items.company_id,
    items.item_id,
    -- 3,000 ids of 20 digits and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error.
    ROW_NUMBER() OVER (
      PARTITION BY items.company_id
      ORDER BY items.item_id
    ) AS item_number
  FROM (
    SELECT
      preferred_items.company_id,
      preferred_items.item_id
    FROM {{ ref('stg_preferred_vendor_item_mappings') }} AS preferred_items
    WHERE
      preferred_items.status = 1
      AND preferred_items.item_id IS NOT NULL
    GROUP BY
      preferred_items.company_id,
      preferred_items.item_id
  ) AS items
) AS numbered
GROUP BY
  numbered.company_id
