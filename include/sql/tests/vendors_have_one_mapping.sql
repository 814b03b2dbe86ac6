-- A vendor that is there by more than one mapping.
SELECT
  vendors.vendor_id,
  COUNT(DISTINCT vendors.mapping_id) AS mapping_count
FROM {{ ref('fact_vendor') }} AS vendors
GROUP BY
  vendors.vendor_id
HAVING
  COUNT(DISTINCT vendors.mapping_id) > 1
