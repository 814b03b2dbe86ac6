-- The score of a company, as its misc has it.
-- One row is a company; a score that is missing or no plain number is NULL.
SELECT
  scores.company_id,
  -- The guard keeps the cast from failing, and from a number that is too large for it.
  CASE
    WHEN scores.score_text ~ '^-?[0-9]{1,9}([.][0-9]{1,9})?$'
    THEN CAST(ROUND(CAST(scores.score_text AS NUMERIC(18, 9)), 4) AS NUMERIC(14, 4))
  END AS score_value
FROM (
  SELECT
    companies.company_id,
    JSON_EXTRACT_PATH_TEXT(companies.misc, 'score', 'value', TRUE) AS score_text
  FROM {{ ref('stg_companies') }} AS companies
) AS scores
