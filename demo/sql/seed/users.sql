-- Who works where: the staff of the clients first, then one to three contacts a vendor; some have none.
-- Grain: one row a user.
CREATE TEMP TABLE seed_users AS
SELECT
  seed_numbers.number AS id,
  seed_companies.number AS company_number,
  1 + (seed_numbers.number - 1) / {{ clients }} AS user_number,
  TRUE AS is_staff
FROM seed_numbers
INNER JOIN seed_companies
  ON seed_companies.number = 1 + MOD(seed_numbers.number - 1, {{ clients }})
WHERE
  seed_numbers.number <= {{ clients * staff_per_client }}
UNION ALL
SELECT
  seed_companies.users_before + seed_digits.digit AS id,
  seed_companies.number AS company_number,
  seed_digits.digit AS user_number,
  FALSE AS is_staff
FROM seed_companies
INNER JOIN seed_digits
  ON seed_digits.digit BETWEEN 1 AND seed_companies.contacts
WHERE
  seed_companies.number > {{ clients }}
