-- Which contact belongs to which of the own company's teams.
-- Grain: team and contact.
{% set row = '(seed_companies.number * 8 + team_numbers.digit * 4 + user_numbers.digit)' %}
{% from 'macros.sql' import between, chance, day_later, decimal, digits, draw, later, one_of, staff, text, updated, word with context %}
{% set created_at = later('seed_companies.created_at', 'created_at', 'minute', 100000) %}
{% set is_inactive = 'NOT ' ~ chance('status', 90) %}
SELECT
  ((seed_companies.number - 1) * 2 + team_numbers.digit - 1) * {{ contacts }} + user_numbers.digit AS id,
  (seed_companies.number - 1) * 2 + team_numbers.digit AS team_id,
  CASE
    WHEN seed_companies.number <= {{ clients }} THEN seed_companies.number + {{ clients }} * (user_numbers.digit - 1)
    ELSE seed_companies.users_before + user_numbers.digit
  END AS user_id,
  designations.word AS role,
  CASE WHEN {{ is_inactive }} THEN 0 ELSE 1 END AS status,
  {{ created_at }} AS created_at,
  {{ updated(created_at) }} AS updated_at,
  {{ between('designation_id', 1, words['designation']) }} AS designation_id,
  {{ staff(client_number, 'created_by') }} AS created_by,
  CASE WHEN {{ chance('updated_by', 40) }} THEN {{ staff(client_number, 'updated_by') }} END AS updated_by,
  user_numbers.digit = 1 AS is_lead,
  {{ between('approval_level', 1, 3) }} AS approval_level,
  CASE WHEN {{ chance('approval_limit', 20) }} THEN {{ decimal('approval_limit', 500000, 90000000, 2) }} END AS approval_limit,
  {{ day_later(created_at, 'joined_on', 20) }} AS joined_on,
  CASE WHEN {{ is_inactive }} THEN {{ day_later(created_at, 'left_on', 200) }} END AS left_on,
  CASE WHEN {{ is_inactive }} THEN {{ later(created_at, 'deactivated_at', 'minute', 280000) }} END AS deactivated_at,
  CASE WHEN {{ is_inactive }} THEN {{ one_of('deactivation_reason', ['Moved to another team', 'Left the firm']) }} END AS deactivation_reason,
  {{ chance('receives_notifications', 75) }} AS receives_notifications,
  CASE WHEN {{ chance('delegate', 5) }} THEN {{ staff(client_number, 'delegate_user_id') }} END AS delegate_user_id,
  CASE WHEN {{ chance('delegate', 5) }} THEN {{ later(created_at, 'delegated_until', 'minute', 300000) }} END AS delegated_until,
  CASE WHEN {{ chance('erp_id', 20) }} THEN 'MEM' || {{ digits('erp_id', 7) }} END AS erp_id,
  CASE WHEN {{ chance('invited_by', 60) }} THEN {{ staff(client_number, 'invited_by') }} END AS invited_by,
  CASE WHEN {{ chance('other_details', 20) }} THEN '{"desk": ' || {{ text(between('other_details', 1, 40)) }} || '}' END AS other_details,
  {{ draw('lock_version', 6) }} AS lock_version
FROM seed_companies
INNER JOIN seed_digits AS team_numbers
  ON team_numbers.digit BETWEEN 1 AND seed_companies.teams
INNER JOIN seed_digits AS user_numbers
  ON user_numbers.digit BETWEEN 1 AND seed_companies.contacts
{{ word('designations', 'designation', 'designation') }}
