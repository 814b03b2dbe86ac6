-- Users as inviters: their full name and email.
-- One row is a user.
SELECT
  users.user_id,
  NULLIF(TRIM(COALESCE(users.first_name, '') || ' ' || COALESCE(users.last_name, '')), '') AS full_name,
  users.email
FROM {{ ref('stg_users') }} AS users
