-- A vendor whose points of contact are not numbered from 1 without gaps, or that has a row without one beside them.
SELECT
  vendors.vendor_id,
  COUNT(*) AS row_count
FROM {{ ref('fact_vendor') }} AS vendors
GROUP BY
  vendors.vendor_id
HAVING
  MAX(COALESCE(vendors.poc_sequence, 1)) <> COUNT(*)
  OR COUNT(DISTINCT vendors.poc_sequence) <> COUNT(vendors.poc_id)
  OR (COUNT(vendors.poc_id) > 0 AND COUNT(vendors.poc_id) <> COUNT(*))
