-- Names of the tags that hang on a company.
-- One row is a company.
SELECT
  numbered.company_id,
  LISTAGG(numbered.tag_name, ', ') WITHIN GROUP (ORDER BY numbered.tag_name) AS tag_names
FROM (
  SELECT
    tag_names.company_id,
    tag_names.tag_name,
    ROW_NUMBER() OVER (
      PARTITION BY tag_names.company_id
      ORDER BY tag_names.tag_name
    ) AS name_number
  FROM (
    SELECT
      taggings.taggable_id AS company_id,
      TRIM(tags.tag_name) AS tag_name
    FROM {{ ref('stg_taggings') }} AS taggings
    INNER JOIN {{ ref('stg_tags') }} AS tags
      ON taggings.tag_id = tags.tag_id
    WHERE
      taggings.taggable_type = 'Company'
      AND taggings.status = 1
      AND TRIM(tags.tag_name) <> ''
    GROUP BY
      taggings.taggable_id,
      TRIM(tags.tag_name)
  ) AS tag_names
) AS numbered
WHERE
  -- 250 names of 256 bytes and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error.
  numbered.name_number <= 250
GROUP BY
  numbered.company_id
