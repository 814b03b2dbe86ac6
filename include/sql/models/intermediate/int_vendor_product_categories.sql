-- Names of the product categories in which the active teams of a company trade.
-- One row is a company. An id must match as a whole, so both sides are wrapped in commas.
SELECT
  numbered.company_id,
  LISTAGG(numbered.category_name, ', ') WITHIN GROUP (ORDER BY numbered.category_name) AS category_names
FROM (
  SELECT
    category_names.company_id,
    category_names.category_name,
    ROW_NUMBER() OVER (
      PARTITION BY category_names.company_id
      ORDER BY category_names.category_name
    ) AS name_number
  FROM (
    SELECT
      teams.company_id,
      TRIM(categories.category_name) AS category_name
    FROM {{ ref('stg_teams') }} AS teams
    INNER JOIN {{ ref('stg_product_categories') }} AS categories
      ON (',' || TRANSLATE(teams.product_category_ids, '{}[]" ', '') || ',')
        LIKE ('%,' || CAST(categories.category_id AS VARCHAR(20)) || ',%')
    WHERE
      teams.status = 1
      AND TRIM(categories.category_name) <> ''
    GROUP BY
      teams.company_id,
      TRIM(categories.category_name)
  ) AS category_names
) AS numbered
WHERE
  -- 250 names of 256 bytes and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error.
  numbered.name_number <= 250
GROUP BY
  numbered.company_id
