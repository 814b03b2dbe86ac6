-- Ids of the product categories in which the active teams of a user trade, by active memberships.
-- One row is a user. An id must match as a whole, so both sides are wrapped in commas.
SELECT
  numbered.user_id,
  LISTAGG(CAST(numbered.category_id AS VARCHAR(20)), ',') WITHIN GROUP (ORDER BY numbered.category_id) AS category_ids
FROM (
  SELECT
    user_categories.user_id,
    user_categories.category_id,
    ROW_NUMBER() OVER (
      PARTITION BY user_categories.user_id
      ORDER BY user_categories.category_id
    ) AS category_number
  FROM (
    SELECT
      team_members.user_id,
      categories.category_id
    FROM {{ ref('stg_team_members') }} AS team_members
    INNER JOIN {{ ref('stg_teams') }} AS teams
      ON team_members.team_id = teams.team_id
    INNER JOIN {{ ref('stg_product_categories') }} AS categories
      ON (',' || TRANSLATE(teams.product_category_ids, '{}[]" ', '') || ',')
        LIKE ('%,' || CAST(categories.category_id AS VARCHAR(20)) || ',%')
    WHERE
      team_members.status = 1
      AND teams.status = 1
    GROUP BY
      team_members.user_id,
      categories.category_id
  ) AS user_categories
) AS numbered
WHERE
  -- 3,000 ids of 20 digits and their commas fit into the 65,535 bytes that LISTAGG can give; more would be an error.
  numbered.category_number <= 3000
GROUP BY
  numbered.user_id
