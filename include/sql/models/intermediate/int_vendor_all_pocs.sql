-- Points of contact: the users who act for a company, numbered from the one with the oldest account.
-- One row is a company and a user; of several active mappings between the two the newest counts.
SELECT
  links.company_id,
  users.user_id AS poc_id,
  NULLIF(TRIM(COALESCE(users.first_name, '') || ' ' || COALESCE(users.last_name, '')), '') AS poc_name,
  users.email AS poc_email,
  users.phone AS poc_phone,
  users.role AS poc_role,
  users.status AS poc_status,
  links.designation_id AS poc_designation_id,
  links.created_at AS poc_linked_at,
  users.created_at AS poc_created_at,
  ROW_NUMBER() OVER (
    PARTITION BY links.company_id
    ORDER BY users.created_at, users.user_id
  ) AS poc_sequence
FROM (
  SELECT
    user_companies.company_id,
    user_companies.user_id,
    user_companies.designation_id,
    user_companies.created_at,
    ROW_NUMBER() OVER (
      PARTITION BY user_companies.company_id, user_companies.user_id
      ORDER BY user_companies.created_at DESC NULLS LAST, user_companies.user_company_mapping_id DESC
    ) AS link_number
  FROM {{ ref('stg_user_company_mappings') }} AS user_companies
  WHERE
    user_companies.status = 1
) AS links
INNER JOIN {{ ref('stg_users') }} AS users
  ON links.user_id = users.user_id
WHERE
  links.link_number = 1
