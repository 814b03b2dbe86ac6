-- What the tables share of a company. The first are the clients; `profile` decides who qualifies as a vendor:
-- 0-59 qualifies; 60-66 inactive; 67-71 no vendor category; 72-77 mapping of another status; 78-81 of another source;
-- 82-85 not invited; 86-91 vendor of other clients only; 92-96 no mapping; 97-99 inactive and no mapping.
-- Grain: one row a company.
{% set row = 'seed_numbers.number' %}
{% from 'macros.sql' import chance, digits, draw, letters, one_of, word with context %}
CREATE TEMP TABLE seed_companies AS
SELECT
  made.number,
  made.number + {{ first_company - 1 }} AS id,
  made.profile,
  CASE
    WHEN made.number <= {{ clients }} OR made.contact_draw BETWEEN 8 AND 57 THEN 1
    WHEN made.contact_draw < 8 THEN 0
    WHEN made.contact_draw < 86 THEN 2
    ELSE 3
  END AS contacts,
  CASE WHEN made.number <= {{ clients }} OR made.team_draw >= 75 THEN 2 WHEN made.team_draw >= 35 THEN 1 ELSE 0 END AS teams,
  CASE WHEN made.tag_draw < 35 THEN 0 WHEN made.tag_draw < 65 THEN 1 WHEN made.tag_draw < 85 THEN 2 ELSE 3 END AS tags,
  CASE WHEN made.item_draw < 30 THEN 1 + made.item_draw / 10 ELSE 0 END AS items,
  {{ clients * staff_per_client }} + (made.number - 1) * {{ contacts }} AS users_before,
  seed_cities.city_id,
  seed_cities.name AS city_name,
  seed_cities.state_id,
  seed_cities.latitude,
  seed_cities.longitude,
  seed_countries.currency,
  seed_countries.phone_prefix,
  made.last_name,
  made.trade,
  LOWER(TRANSLATE(made.last_name || '-' || made.trade, ' ’', '-')) || '-' || CAST(made.number AS VARCHAR(20)) || '.example' AS domain,
  made.pan_no,
  made.created_at
FROM (
  SELECT
    seed_numbers.number,
    {{ draw('profile', 100) }} AS profile,
    {{ draw('contacts', 100) }} AS contact_draw,
    {{ draw('teams', 100) }} AS team_draw,
    {{ draw('tags', 100) }} AS tag_draw,
    {{ draw('items', 100) }} AS item_draw,
    -- Large cities come first, and the product of two draws favours them.
    CASE
      WHEN {{ chance('city', 93) }}
      THEN 1 + {{ draw('city', cities_at_home) }} * {{ draw('second city', cities_at_home) }} / {{ cities_at_home }}
      ELSE {{ cities_at_home }} + 1 + {{ draw('city', cities - cities_at_home) }}
    END AS city_id,
    last_names.word AS last_name,
    trades.word AS trade,
    {{ letters('pan head', 3) }} || {{ one_of('pan holder', ['C', 'F', 'P', 'H']) }} || UPPER(SUBSTRING(last_names.word, 1, 1))
      || {{ digits('pan', 4) }} || {{ letters('pan tail', 1) }} AS pan_no,
    -- Five years, in the order of the numbers but for a fortnight.
    CAST('2020-01-01 03:30:00' AS TIMESTAMP)
      + (seed_numbers.number * 2600000 / {{ companies }} + {{ draw('created_at', 20000) }}) * INTERVAL '1 minute' AS created_at
  FROM seed_numbers
  {{ word('last_names', 'last_name', 'owner last name') }}
  {{ word('trades', 'trade', 'trade') }}
  WHERE
    seed_numbers.number <= {{ companies }}
) AS made
INNER JOIN seed_cities
  ON made.city_id = seed_cities.city_id
INNER JOIN seed_countries
  ON seed_cities.country_id = seed_countries.country_id
