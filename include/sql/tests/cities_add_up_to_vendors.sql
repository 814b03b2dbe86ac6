-- A known city in which fact_geography counts other vendors than fact_vendor has.
SELECT
  geography.city_id,
  geography.qualified_vendor_count,
  COUNT(DISTINCT vendors.vendor_id) AS vendor_count
FROM {{ ref('fact_geography') }} AS geography
LEFT JOIN {{ ref('fact_vendor') }} AS vendors
  ON geography.city_id = vendors.city_id
GROUP BY
  geography.city_id,
  geography.qualified_vendor_count
HAVING
  geography.qualified_vendor_count <> COUNT(DISTINCT vendors.vendor_id)
