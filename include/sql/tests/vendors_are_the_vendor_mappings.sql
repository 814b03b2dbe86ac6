-- A vendor of fact_vendor that no mapping of fact_relationship stands for, or the other way round.
SELECT
  relationships.relationship_id,
  vendors.mapping_id
FROM {{ ref('fact_relationship') }} AS relationships
FULL JOIN (
  SELECT DISTINCT
    vendors.mapping_id
  FROM {{ ref('fact_vendor') }} AS vendors
) AS vendors
  ON relationships.relationship_id = vendors.mapping_id
WHERE
  (relationships.is_vendor_mapping = 1 AND vendors.mapping_id IS NULL)
  OR (vendors.mapping_id IS NOT NULL AND COALESCE(relationships.is_vendor_mapping, 0) = 0)
